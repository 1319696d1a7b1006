/** The chart with `stopped`: what a restore needs, whatever else would start pods again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { renderChart } from "./chart.ts";
import { brokenInvariants } from "./invariants.ts";
import { ofKind, spec, titleOf } from "./invariants/objects.ts";
import type { KubernetesObject } from "./schema.ts";
import { missingTools } from "./tools.ts";

const brings = ["Deployment", "HorizontalPodAutoscaler", "ScaledObject"];

test(
  "what is stopped has no pod of Parley and nothing that would bring one back, and all else as before",
  { skip: missingTools },
  async () => {
    const rest = (objects: readonly KubernetesObject[]) =>
      objects.filter(({ kind }) => !brings.includes(kind)).map(titleOf);
    for (const values of ["minimal", "keda", "split", "recovered"])
      for (const isScaled of values === "keda" ? ["true"] : ["true", "false"]) {
        const scaled = `autoscaling.enabled=${isScaled}`;
        const running = await renderChart(values, [scaled]);
        const stopped = await renderChart(values, [scaled, "stopped=true"]);
        assert.deepEqual(rest(stopped), rest(running), values);
        const replicas = ofKind(stopped, "Deployment").map((each) => spec<{ replicas?: number }>(each).replicas);
        assert.deepEqual([...new Set(replicas)], [0], values);
        assert.deepEqual(ofKind(stopped, "HorizontalPodAutoscaler", "ScaledObject"), [], values);
      }
    assert.deepEqual(brokenInvariants(await renderChart("minimal", ["stopped=true"])), []);
  },
);
