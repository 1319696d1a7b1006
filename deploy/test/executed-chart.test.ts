/** The chart, executed: it comes up all at once, as helm applies it, and a message arrives. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { renderChart } from "./chart.ts";
import { imageOf, webImageOf } from "./executed-image.ts";
import { isWorkload } from "./executed-manifests.ts";
import { openRelease } from "./executed-release.ts";
import { missingFor, nameOf } from "./executed-services.ts";
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

const labels = { app: "nats" };
const natsBeside: readonly KubernetesObject[] = [
  {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "nats" },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: "nats", image: "nats:2.10.29", ports: [{ name: "nats", containerPort: 4222 }] }] },
      },
    },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "nats" },
    spec: { selector: labels, ports: [{ name: "nats", port: 4222, targetPort: "nats" }] },
  },
];

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
    beside: natsBeside,
    door: "parley-api",
    printing: "parley-api",
  },
  {
    values: "split",
    set: ["web.image=ghcr.io/parley-im/parley-web:0.1.0"],
    door: "parley-gateway",
    printing: "parley-auth",
  },
];

describe("the chart comes up all at once, and a message arrives", { skip: missingTools }, () => {
  for (const { values, set, beside = [], door, printing } of cases)
    test(beside.length > 0 ? `${values}, with NATS beside it` : values, async (t) => {
      const objects = [...beside, ...(await renderChart(values, set))];
      const all = imagesOf(objects);
      const missing = missingFor(all);
      if (missing) return t.skip(missing);
      const images = new Map(
        Object.entries(own).flatMap(([name, image]) =>
          all.filter((each) => nameOf(each) === name).map((each) => [each, image] as const),
        ),
      );
      await using release = await openRelease("parley", { images, replicas: () => 1 });
      await release.apply(objects, "at once");
      await begin(release.urlOf(door), release, [printing]);
      assert.deepEqual(release.problems, []);
    });
});

function imagesOf(objects: readonly KubernetesObject[]): string[] {
  const specs = objects.filter(isWorkload).map(({ spec }) => spec.template.spec);
  const containers = specs.flatMap((spec) => [...(spec.initContainers ?? []), ...spec.containers]);
  return [...new Set(containers.map(({ image }) => image))];
}
