/** The chart, executed: it comes up all at once, as helm applies it, and a message arrives. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type Person, request } from "../../testkit/src/http.ts";
import { renderChart, valuesFiles } from "./chart.ts";
import { archivesFiles } from "./executed-archive.ts";
import { databaseBeside, databaseUrl, secretBeside, serverBeside } from "./executed-beside.ts";
import { withoutOperator } from "./executed-cnpg.ts";
import { imageOf, webImageOf } from "./executed-image.ts";
import { imagesOf } from "./executed-manifests.ts";
import { openRelease } from "./executed-release.ts";
import { imagesFor, missingFor } from "./executed-services.ts";
import { withSecretsOf } from "./executed-secrets.ts";
import { begin } from "./executed-story.ts";
import type { KubernetesObject } from "./schema.ts";
import { missingTools } from "./tools.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-chart-"));
after(() => rmSync(folder, { recursive: true }));
// nginx has workers of another account where root runs the test.
chmodSync(folder, 0o755);
const [api, web] = [imageOf(folder), webImageOf(folder)];
const own = { parley: api, "parley-web": web, "app-api": api, "app-web": web };

interface Case {
  values: string;
  set: readonly string[];
  /** In place of `set`, for an installation that is there first. */
  before?: readonly string[];
  /** What an operator has in the namespace anyway. */
  beside?: readonly KubernetesObject[];
  /** What the provider of secrets has. */
  provider?: Readonly<Record<string, string>>;
  door: string;
  printing: string;
}

const redisBeside = serverBeside({ name: "redis", image: "redis:7.4.5-bookworm", port: 6379 });
const objectsBeside = (bucket: string, [user, password]: readonly [string, string]) =>
  serverBeside({
    name: "minio",
    image: "minio/minio:RELEASE.2025-09-07T16-13-09Z",
    port: 9000,
    env: { MINIO_ROOT_USER: user, MINIO_ROOT_PASSWORD: password, MINIO_DEFAULT_BUCKETS: bucket },
  });

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
  { values: "starter", set: [], door: "parley-api", printing: "parley-api" },
  {
    values: "external-secrets",
    set: [],
    beside: [...databaseBeside, ...redisBeside],
    provider: {
      "prod/database_url": databaseUrl,
      "prod/database#owner_url": databaseUrl,
      "prod/redis_url": "redis://redis:6379",
      "prod/api_base_url": "http://parley-api:8080",
    },
    door: "parley-api",
    printing: "parley-api",
  },
  {
    values: "vault",
    set: ["api.env.VAULT_ADDR=http://vault:8200"],
    beside: [
      ...databaseBeside,
      ...serverBeside({
        name: "vault",
        image: "hashicorp/vault:1.20.4",
        port: 8200,
        env: {
          VAULT_DEV_ROOT_TOKEN_ID: "a-token",
          "SECRET_parley/database-url": databaseUrl,
          "SECRET_parley/database-owner-url": databaseUrl,
        },
      }),
      secretBeside("parley-vault", { VAULT_TOKEN: "a-token" }),
    ],
    door: "parley-api",
    printing: "parley-api",
  },
  {
    values: "minio",
    set: ["api.env.MINIO_ENDPOINT=http://minio:9000"],
    beside: objectsBeside("parley-media", ["parley", "not-a-secret"]),
    door: "parley-gateway",
    printing: "parley-auth",
  },
  {
    values: "production",
    set: ["api.env.S3_ENDPOINT=http://minio:9000"],
    beside: objectsBeside("parley-media", ["media-key", "media-secret"]),
    provider: { "prod/media-access-key": "media-key", "prod/media-secret-key": "media-secret" },
    door: "parley-api",
    printing: "parley-api",
  },
  {
    values: "backup-objects",
    set: [
      `api.secrets.DATABASE_URL=${databaseUrl}`,
      `api.secrets.DATABASE_OWNER_URL=${databaseUrl}`,
      "api.env.MINIO_ENDPOINT=http://minio:9000",
    ],
    beside: [...databaseBeside, ...objectsBeside("media", ["media", "secret"])],
    door: "parley-api",
    printing: "parley-api",
  },
  // The database that is recovered is that of an installation before it.
  { values: "recovered", before: ["cnpg.recovery.enabled=false"], set: [], door: "parley-api", printing: "parley-api" },
];

test("every file of values is executed", () => {
  const executed = new Set([...cases.map(({ values }) => values), "backup"]);
  assert.deepEqual(
    [...valuesFiles.keys()].filter((name) => !executed.has(name)),
    [],
  );
});

describe("the chart comes up all at once, and a message arrives", { skip: missingTools }, () => {
  for (const { values, set, before, beside = [], provider = {}, door, printing } of cases)
    test([values, ...set].join(", "), async (t) => {
      const rendered = async (given: readonly string[]) =>
        withoutOperator(withSecretsOf(provider, [...beside, ...(await renderChart(values, given))]));
      const objects = await rendered(set);
      const all = imagesOf(objects);
      const missing = missingFor(all);
      if (missing) return t.skip(missing);
      const images = imagesFor(all, own);
      await using release = await openRelease("parley", { images, replicas: () => 1 });
      await release.apply(before ? await rendered(before) : objects, "at once");
      const url = release.urlOf(door);
      const { alice } = await begin(url, release, [printing]);
      if (before) await release.apply(objects, "at once");
      await keepsFiles(url, alice);
      const isStatic = all.some((each) => each.includes("web"));
      await archivesFiles(isStatic ? url : release.urlOf("parley-web"), alice, ["a file"]);
      assert.deepEqual(release.problems, []);
    });
});

/** In the store of the values, which is another in most cases. */
async function keepsFiles(url: string, { token }: Person): Promise<void> {
  const { body } = await request(url, "POST", "/_matrix/media/v3/upload", { token, body: Buffer.from("a file") });
  const path = (body.content_uri as string).replace("mxc://", "/_matrix/client/v1/media/download/");
  assert.equal(String((await request(url, "GET", path, { token })).body), "a file");
}
