import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { serverFlags } from "../../scripts/lib/server-process.mjs";
import { readConfig } from "../../server/src/config.ts";
import { settings } from "../../server/src/settings/table.ts";
import { placeOf, roleNames, roles } from "../../server/src/roles.ts";
import { edgePaths } from "./edge.ts";
import {
  commands,
  commonSettings,
  doors,
  fileSettings,
  metrics,
  ownSettings,
  probes,
  serviceSettings,
  type Shape,
  shapes,
  uploadsOfWeb,
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

test("every path that a role serves leads from the edge to a workload that has the role, or hands it on", () => {
  /** A path of the table, as somebody asks for it. */
  const example = (path: string) =>
    path
      .replace(":version", path.includes("/admin/") ? "v3" : "v1")
      .replaceAll(/:\w+/g, "x")
      .replace("*", "x");
  for (const shape of shapeNames) {
    const { calls } = workloads[doors[shape]];
    for (const role of roleNames)
      for (const path of roles[role].paths.map(example)) {
        const edge = edgePaths[shape].find((each) => each.path === "/" || `${path}/`.startsWith(`${each.path}/`));
        const workload = workloads[edge?.workload as WorkloadName];
        const isHandedOn = workload === workloads[doors[shape]] && Object.keys(calls).includes(role);
        assert.ok(
          isHandedOn || workload.roles.includes(role),
          `${shape}: ${path} of ${role} comes to ${workload.name}`,
        );
      }
  }
});

test("the door of the split shape has the address of each workload that serves a part of the API", () => {
  const { calls } = workloads[doors.split];
  const served = shapes.split.filter((name) => workloads[name].isServed && name !== "gateway" && name !== "web");
  assert.deepEqual((Object.keys(calls) as WorkloadName[]).toSorted(), served.toSorted());
});

test("whom web asks for uploads on a claim has them, and is of the same shape", () => {
  for (const shape of shapeNames) {
    const from = uploadsOfWeb.from[shape];
    const names: readonly WorkloadName[] = shapes[shape];
    assert.ok(names.includes(from) && workloads[from].keepsMedia && workloads[from].isServed, shape);
    assert.ok(workloads[from].roles.includes("media"), shape);
  }
});

test("every setting that is named exists", () => {
  const known = settings.map(({ name }) => name);
  const named = [
    ...commonSettings,
    ...ownSettings,
    ...fileSettings,
    ...Object.values(serviceSettings).flat(),
    ...all.flatMap(({ calls }) => Object.values(calls)),
    uploadsOfWeb.setting,
  ];
  assert.deepEqual(
    named.filter((name) => !known.includes(name)),
    [],
  );
});

/** What else has to be set for a setting to be read. */
const readers: readonly Record<string, string>[] = [
  {
    STRIPE_SECRET_KEY: "sk_test_a",
    STRIPE_WEBHOOK_SECRET: "whsec_a",
    STRIPE_CUSTOMER_ID: "cus_NffrFeUfNV2Hib",
    STRIPE_SEAT_PRICE_ID: "price_1MoBy5LkdIwHu7ix",
  },
  { STORAGE_PROVIDER: "s3", S3_BUCKET: "a" },
  { STORAGE_PROVIDER: "minio", MINIO_ENDPOINT: "http://a", MINIO_ACCESS_KEY: "a", MINIO_SECRET_KEY: "b" },
  { STORAGE_PROVIDER: "azure_blob", AZURE_STORAGE_ACCOUNT: "a" },
  { SECRETS_PROVIDER: "vault", VAULT_ADDR: "http://a", VAULT_TOKEN: "a" },
  {
    SECRETS_PROVIDER: "infisical",
    INFISICAL_PROJECT_ID: "a",
    INFISICAL_CLIENT_ID: "a",
    INFISICAL_CLIENT_SECRET: "a",
  },
];

test("what is mounted as a file may be a file", () => {
  const [stripe] = readers;
  for (const reader of readers) {
    const common = {
      ...stripe,
      DATABASE_URL: "postgres://a@b/c",
      S3_ACCESS_KEY_ID: "a",
      S3_SECRET_ACCESS_KEY: "b",
      PARLEY_RECAPTCHA_SITE_KEY: "a",
      PARLEY_RECAPTCHA_SECRET: "b",
      PARLEY_TURN_URIS: "turn:a",
      PARLEY_TURN_SECRET: "b",
      ...reader,
    };
    for (const name of fileSettings)
      assert.doesNotThrow(() => readConfig({ ...common, [name]: "file:///run/secrets/parley/it" }), name);
  }
});

test("every secret is mounted as a file, but for those that are lists or parts, and what a person has at a shell", () => {
  const variables = ["DATABASE_REPLICA_URLS", "OTEL_EXPORTER_OTLP_HEADERS", "PARLEY_ADMIN_TOKEN", "DB_PASSWORD"];
  const secrets = settings.filter(({ secret }) => secret).map(({ name }) => name);
  assert.deepEqual(secrets.toSorted(), [...fileSettings, ...variables].toSorted());
});

test("every metric that a workload is scaled on is counted", () => {
  const source = ["metrics.ts", "queue/open.ts"].map((file) => readFileSync(new URL(file, server), "utf8")).join("");
  for (const name of Object.values(metrics)) assert.ok(source.includes(`name: "${name}"`), name);
});

test("the image runs the server with the flags that a checkout runs it with", () => {
  assert.deepEqual(commands.server.slice(1, -1), serverFlags);
});
