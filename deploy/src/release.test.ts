import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { serverFlags } from "../../scripts/lib/server-process.mjs";
import { readConfig } from "../../server/src/config.ts";
import { settings } from "../../server/src/settings/table.ts";
import { placeOf, roleNames } from "../../server/src/roles.ts";
import {
  commands,
  commonSettings,
  doors,
  edgePaths,
  fileSettings,
  metrics,
  ownSettings,
  probes,
  serviceSettings,
  type Shape,
  shapes,
  type WorkloadName,
  workloads,
} from "./release.ts";

const all = Object.values(workloads);
const server = new URL("../../server/src/", import.meta.url);
const shapeNames = Object.keys(shapes) as Shape[];

test("each shape has every role", () => {
  for (const shape of shapeNames) {
    const roles = shapes[shape].flatMap((name) => [...workloads[name].roles]);
    assert.deepEqual([...new Set(roles)].toSorted(), roleNames.toSorted(), shape);
  }
});

test("the workloads of a shape can run on one machine: their ports differ", () => {
  for (const shape of shapeNames) {
    const ports = shapes[shape].flatMap((name) => [workloads[name].port, workloads[name].metricsPort]);
    assert.equal(new Set(ports).size, ports.length, shape);
  }
});

test("the kubelet waits longer than the drain and the 10 s after it", () => {
  for (const { name, drain_s, grace_s } of all) assert.ok(grace_s > drain_s + 10, name);
});

test("a pod is out of its Service before its drain ends", () => {
  const { period_s, failures } = probes.ready;
  for (const { name, drain_s } of all) assert.ok(drain_s >= period_s * failures, name);
});

test("every path of the table of roles comes to a workload that serves it, or to the door", () => {
  for (const shape of shapeNames)
    for (const { path, workload } of edgePaths[shape]) {
      const place = placeOf(path === "/" ? "/" : `${path}/x`);
      const { roles } = workloads[workload];
      assert.ok(workload === doors[shape] || (place && roles.includes(place.role)), `${shape} ${path}`);
    }
});

test("the door of the split shape has the address of each workload that serves a part of the API", () => {
  const { calls } = workloads[doors.split];
  const served = shapes.split.filter((name) => workloads[name].isServed && name !== "gateway" && name !== "web");
  assert.deepEqual((Object.keys(calls) as WorkloadName[]).toSorted(), served.toSorted());
});

test("every setting that is named exists", () => {
  const known = settings.map(({ name }) => name);
  const named = [
    ...commonSettings,
    ...ownSettings,
    ...fileSettings,
    ...Object.values(serviceSettings).flat(),
    ...all.flatMap(({ calls }) => Object.values(calls)),
  ];
  assert.deepEqual(
    named.filter((name) => !known.includes(name)),
    [],
  );
});

test("what is mounted as a file may be a file", () => {
  const address = "file:///run/secrets/parley/it";
  for (const name of fileSettings)
    for (const STORAGE_PROVIDER of ["s3", "minio", "azure_blob"]) {
      const needed = { S3_BUCKET: "a", MINIO_ENDPOINT: "http://a", AZURE_STORAGE_ACCOUNT: "a" };
      const secrets = Object.fromEntries(fileSettings.map((each) => [each, "postgres://a@b/c"]));
      assert.doesNotThrow(() => readConfig({ ...needed, ...secrets, STORAGE_PROVIDER, [name]: address }), name);
    }
});

test("every metric that a workload is scaled on is counted", () => {
  const source = ["metrics.ts", "queue/open.ts"].map((file) => readFileSync(new URL(file, server), "utf8")).join("");
  for (const name of Object.values(metrics)) assert.ok(source.includes(`name: "${name}"`), name);
});

test("the image runs the server with the flags that a checkout runs it with", () => {
  assert.deepEqual(commands.server.slice(1, -1), serverFlags);
});
