/** The libraries of clouds are large: who does not use one does not load it. */
import assert from "node:assert/strict";
import { registerHooks } from "node:module";
import { test } from "node:test";

const loaded: string[] = [];
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    loaded.push(found.url);
    return found;
  },
});

/** What is loaded for one cloud or provider alone. */
const ofClouds =
  /node_modules\/(@aws-sdk|@smithy|google-auth-library)\/|\/blobs\/(s3|azure|gcs|objects)\.ts|\/secrets\/(aws|azure|gcp|vault|infisical|files)\.ts/;

test("a server with media in a folder and no provider of secrets loads nothing of any cloud", async () => {
  const { startTestServer } = await import("../../../testkit/src/server.ts");
  await using _server = await startTestServer();
  assert.deepEqual(
    loaded.filter((url) => ofClouds.test(url)),
    [],
  );
  assert.ok(loaded.some((url) => url.includes("/blobs/filesystem.ts")));
  // The control: what is used is seen.
  const { openBlobs } = await import("./open.ts");
  const { readConfig } = await import("../config.ts");
  const { realSeams: seams } = await import("../seams.ts");
  const env = {
    STORAGE_PROVIDER: "s3",
    S3_BUCKET: "media",
    S3_ENDPOINT: "http://127.0.0.1:9",
    S3_ACCESS_KEY_ID: "a",
    S3_SECRET_ACCESS_KEY: "b",
  };
  const blobs = await openBlobs({
    storage: readConfig(env).storage,
    dataDir: _server.dataDir,
    seams,
    logger: { warn: () => {} },
  });
  assert.ok(loaded.filter((url) => ofClouds.test(url)).length > 10);
  await blobs.close();
});
