/** The chart, executed: it comes up all at once, as helm applies it, and a message arrives. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { renderChart } from "./chart.ts";
import { databaseBeside, databaseUrl, serverBeside } from "./executed-beside.ts";
import { withoutOperator } from "./executed-cnpg.ts";
import { imageOf, webImageOf } from "./executed-image.ts";
import { imagesOf } from "./executed-manifests.ts";
import { openRelease } from "./executed-release.ts";
import { imagesFor, missingFor } from "./executed-services.ts";
import { begin } from "./executed-story.ts";
import type { KubernetesObject } from "./schema.ts";
import { missingTools } from "./tools.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-chart-"));
after(() => rmSync(folder, { recursive: true }));
// nginx has workers of another account where root runs the test.
chmodSync(folder, 0o755);
const own = { parley: imageOf(folder), "parley-web": webImageOf(folder) };

interface Case {
  values: string;
  set: readonly string[];
  /** What an operator has in the namespace anyway. */
  beside?: readonly KubernetesObject[];
  door: string;
  printing: string;
}

/** The door that people come in by, and the Deployment that prints the administrator's link. */
const cases: readonly Case[] = [
  { values: "minimal", set: [], door: "parley-api", printing: "parley-api" },
  {
    values: "minimal",
    set: [
      "externalSecrets.enabled=false",
      "api.env.PARLEY_BUS=nats",
      "api.secrets.NATS_URL=nats://nats:4222",
      "autoscaling.enabled=false",
    ],
    beside: serverBeside({ name: "nats", image: "nats:2.10.29", port: 4222 }),
    door: "parley-api",
    printing: "parley-api",
  },
  // CloudNativePG, with a PostgreSQL in the operator's place.
  { values: "minimal", set: ["cnpg.enabled=true"], door: "parley-api", printing: "parley-api" },
  { values: "gateway-api", set: [], beside: databaseBeside, door: "parley-api", printing: "parley-api" },
  {
    values: "static-secrets",
    set: [`api.secrets.DATABASE_URL=${databaseUrl}`, "api.env.PARLEY_QUEUE=postgresql"],
    beside: databaseBeside,
    door: "parley-api",
    printing: "parley-api",
  },
  { values: "keda", set: [], door: "parley-gateway", printing: "parley-auth" },
  {
    values: "split",
    set: ["web.image=ghcr.io/parley-im/parley-web:0.1.0"],
    door: "parley-gateway",
    printing: "parley-auth",
  },
];

describe("the chart comes up all at once, and a message arrives", { skip: missingTools }, () => {
  for (const { values, set, beside = [], door, printing } of cases)
    test([values, ...set].join(", "), async (t) => {
      const objects = withoutOperator([...beside, ...(await renderChart(values, set))]);
      const all = imagesOf(objects);
      const missing = missingFor(all);
      if (missing) return t.skip(missing);
      const images = imagesFor(all, own);
      await using release = await openRelease("parley", { images, replicas: () => 1 });
      await release.apply(objects, "at once");
      await begin(release.urlOf(door), release, [printing]);
      assert.deepEqual(release.problems, []);
    });
});
