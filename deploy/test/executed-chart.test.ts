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

/** The door that people come in by, and the Deployment that prints the administrator's link. */
const cases = [
  { values: "minimal", set: [], door: "parley-api", printing: "parley-api" },
  {
    values: "split",
    set: ["web.image=ghcr.io/parley-im/parley-web:0.1.0"],
    door: "parley-gateway",
    printing: "parley-auth",
  },
];

describe("the chart comes up all at once, and a message arrives", { skip: missingTools }, () => {
  for (const { values, set, door, printing } of cases)
    test(values, async (t) => {
      const objects = await renderChart(values, set);
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
