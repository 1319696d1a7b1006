/** G7: whatever goes wrong on the way to an object store, a blob is there whole, or not at all, and a second try brings it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startAzureBlob } from "../../../testkit/src/clouds/azure-blob.ts";
import { startGcs } from "../../../testkit/src/clouds/gcs.ts";
import { startGoogleTokens } from "../../../testkit/src/clouds/identities.ts";
import { startS3, type S3Server, failure } from "../../../testkit/src/clouds/s3.ts";
import type { Cloud, Fault } from "../../../testkit/src/clouds/serve.ts";
import { readConfig } from "../config.ts";
import type { Blobs } from "./blobs.ts";
import { MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { realSeams, type Seams } from "../seams.ts";
import { hashOf, inPieces, read, someBytes } from "./conformance.ts";
import { openBlobs, openStore } from "./open.ts";
import { openObjectBlobs } from "./objects.ts";
import type { ObjectStore } from "./object-store.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-blob-faults-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const MAX = { max_bytes: 64 * 1_048_576 };
const BYTES = someBytes(2 * limits.blobPart_bytes + 99, "faults");
const HASH = hashOf(BYTES);

/** Pauses between tries take no time; everything else does what it does. */
const impatient: Seams = { ...realSeams, after: (ms, action) => realSeams.after(ms > 20_000 ? ms : 0, action) };

interface World extends AsyncDisposable {
  cloud: Cloud;
  objects: Map<string, Buffer>;
  env: Record<string, string>;
}

const worlds: Record<"s3" | "azure" | "gcs", () => Promise<World>> = {
  async s3() {
    const s3 = await startS3();
    return { cloud: s3, objects: s3.objects, env: s3Env(s3), [Symbol.asyncDispose]: () => s3[Symbol.asyncDispose]() };
  },
  async azure() {
    const azure = await startAzureBlob();
    const env = {
      STORAGE_PROVIDER: "azure_blob",
      AZURE_STORAGE_ACCOUNT: azure.account,
      AZURE_STORAGE_KEY: azure.key,
      AZURE_STORAGE_ENDPOINT: azure.url,
    };
    return { cloud: azure, objects: azure.objects, env, [Symbol.asyncDispose]: () => azure[Symbol.asyncDispose]() };
  },
  async gcs() {
    const google = await startGoogleTokens();
    const gcs = await startGcs(google.isToken);
    const env = {
      STORAGE_PROVIDER: "gcs",
      GCS_BUCKET: gcs.bucket,
      GCS_ENDPOINT: gcs.url,
      GOOGLE_APPLICATION_CREDENTIALS: google.keyFile,
    };
    const end = async () => {
      await gcs[Symbol.asyncDispose]();
      await google[Symbol.asyncDispose]();
    };
    return { cloud: gcs, objects: gcs.objects, env, [Symbol.asyncDispose]: end };
  },
};

function s3Env(s3: S3Server): Record<string, string> {
  return {
    STORAGE_PROVIDER: "s3",
    S3_ENDPOINT: s3.url,
    S3_BUCKET: s3.bucket,
    S3_ACCESS_KEY_ID: s3.keys.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.keys.secretAccessKey,
  };
}

let opened = 0;
function open(env: Record<string, string>, dataDir = join(folder, String(++opened))) {
  const { storage } = readConfig(env);
  return openBlobs({ storage, dataDir, seams: impatient, logger: { warn: () => {} } });
}

async function storeOf(env: Record<string, string>): Promise<ObjectStore> {
  const { storage } = readConfig(env);
  assert.ok(storage.provider !== "filesystem");
  return openStore(storage, impatient);
}

function openOn(store: ObjectStore) {
  return openObjectBlobs({ store, spoolFolder: join(folder, String(++opened)), seams: impatient });
}

const isPut: NonNullable<Fault["when"]> = ({ method, path }) =>
  (method === "PUT" || method === "POST") && !path.includes("token");
const isRead: NonNullable<Fault["when"]> = ({ method, query }) =>
  method === "GET" && !query.has("fields") && !query.has("uploads");
const slowDown = { ...failure(503, "SlowDown"), headers: { "content-type": "application/xml" } };

for (const [name, start] of Object.entries(worlds)) {
  test(`${name}: a store that is busy, cuts connections or loses answers gets the whole blob all the same`, async () => {
    for (const manner of [slowDown, failure(500, "InternalError"), "cut", "lose"] as const) {
      await using world = await start();
      const blobs = await open(world.env);
      world.cloud.plan({ times: 2, manner, when: (asked) => isPut(asked) && asked.body.length > 1_000_000 });
      world.cloud.plan({ times: 1, manner, when: isPut });
      assert.deepEqual(await blobs.put(inPieces(BYTES), MAX), { sha256: HASH, size_bytes: BYTES.length });
      assert.ok((await read(blobs, HASH))?.equals(BYTES), JSON.stringify(manner));
      await blobs.close();
    }
  });

  test(`${name}: while the store is away a put fails with a hint when to try again, leaves nothing, and works afterwards`, async () => {
    await using world = await start();
    const dataDir = join(folder, String(++opened));
    const blobs = await open(world.env, dataDir);
    await failsAndLeavesNothing(world, blobs);
    assert.deepEqual(readdirSync(join(dataDir, "media", "incoming")), []);
    world.cloud.behave();
    await blobs.put(inPieces(BYTES), MAX);
    assert.ok((await read(blobs, HASH))?.equals(BYTES));
    await blobs.close();
  });

  test(`${name}: a download goes on where its connection broke, and never ends early`, async () => {
    await using world = await start();
    const blobs = await open(world.env);
    await blobs.put(inPieces(BYTES), MAX);
    world.cloud.plan({ times: 3, manner: "half", when: isRead });
    assert.ok((await read(blobs, HASH))?.equals(BYTES));
    world.cloud.plan({ times: 2, manner: "half", when: isRead });
    assert.ok((await read(blobs, HASH, { start: 1_000, end: 5_000_000 }))?.equals(BYTES.subarray(1_000, 5_000_001)));
    world.cloud.behave();
    world.cloud.plan({ times: 1, manner: "half", when: isRead });
    world.cloud.plan({ times: 1_000, manner: "cut", when: isRead });
    await assert.rejects(read(blobs, HASH));
    await blobs.close();
  });

  test(`${name}: what does not arrive as it was sent is refused by the store`, async () => {
    await using world = await start();
    // The bytes change between the hash and the request, as they do in broken memory.
    const blobs = await openOn(spoiled(await storeOf(world.env)));
    await assert.rejects(blobs.put(Buffer.from("right"), MAX), /can not be reached/);
    assert.deepEqual([...world.objects.keys()], []);
    await blobs.close();
  });

  test(`${name}: a process that is killed between parts leaves nothing to be seen, and the next one brings the blob`, async () => {
    await using world = await start();
    const dataDir = join(folder, String(++opened));
    let parts = 0;
    const isThird = (body: Buffer) => body.length > 50 && ++parts === 3;
    world.cloud.plan({ times: 1, manner: "hold", when: (asked) => isPut(asked) && isThird(asked.body) });
    await killedWhilePutting(world, dataDir);
    assert.deepEqual([...world.objects.keys()], []);
    const next = await open(world.env, dataDir);
    assert.equal(await next.get(HASH), undefined);
    const left = readdirSync(join(dataDir, "media", "incoming"));
    assert.equal(left.length, 1, "the killed process left its file");
    await next.put(inPieces(BYTES), MAX);
    assert.ok((await read(next, HASH))?.equals(BYTES));
    const longAgo_s = (Date.now() - limits.uploadAbandoned_ms - 1_000) / 1_000;
    for (const each of left) utimesSync(join(dataDir, "media", "incoming", each), longAgo_s, longAgo_s);
    await next.sweep();
    assert.deepEqual(readdirSync(join(dataDir, "media", "incoming")), []);
    await next.close();
  });
}

async function failsAndLeavesNothing({ cloud, objects }: World, blobs: Blobs): Promise<void> {
  cloud.plan({ times: 1_000, manner: "cut", when: (asked) => isPut(asked) && asked.body.length > 5_000_000 });
  await assert.rejects(
    blobs.put(inPieces(BYTES), MAX),
    (error) => error instanceof MatrixError && error.status === 503 && error.retryAfter_ms === limits.blobsAway_ms,
  );
  assert.deepEqual([...objects.keys()], [], "something can be seen");
  assert.equal(await blobs.get(HASH), undefined);
}

test("control: a store that shows a blob before it is whole does not pass", async () => {
  await using world = await worlds.s3();
  const blobs = await openOn(showingEarly(await storeOf(world.env)));
  await assert.rejects(failsAndLeavesNothing(world, blobs), /something can be seen/);
  await blobs.close();
});

/** The planted bug: the name is given away before the last byte is there. */
function showingEarly(store: ObjectStore): ObjectStore {
  return {
    ...store,
    async write(name, content) {
      await content.withBytes(0, 1_000, (bytes) =>
        store.write(name, {
          ...content,
          size_bytes: bytes.length,
          sha256: hashOf(bytes),
          withBytes: (_start, _length, use) => use(bytes),
        }),
      );
      await store.write(name, content);
    },
  };
}

test("s3: keys that change in their file are used from the next request on", async () => {
  await using s3 = await startS3();
  const [id, secret] = [join(folder, "key-id"), join(folder, "key-secret")];
  const rotate = (accessKeyId: string, secretAccessKey: string) => {
    writeFileSync(id, accessKeyId);
    writeFileSync(secret, `${secretAccessKey}\n`);
    Object.assign(s3.keys, { accessKeyId, secretAccessKey });
  };
  rotate("FIRST", "first/secret");
  const env = { ...s3Env(s3), S3_ACCESS_KEY_ID: `file://${id}`, S3_SECRET_ACCESS_KEY: `file://${secret}` };
  const blobs = await open(env);
  await blobs.probe();
  rotate("SECOND", "second/secret");
  await blobs.probe();
  Object.assign(s3.keys, { secretAccessKey: "told to nobody" });
  await assert.rejects(blobs.probe(), /SignatureDoesNotMatch/);
  await blobs.close();
});

test("s3: uploads of dead processes are ended, those of living ones go on", async () => {
  await using s3 = await startS3();
  const store = await storeOf(s3Env(s3));
  const [old, young] = [
    { key: "ab/old", begun: new Date(Date.now() - limits.uploadAbandoned_ms - 1_000), parts: new Map() },
    { key: "ab/young", begun: new Date(), parts: new Map() },
  ];
  s3.uploads.set("old", old).set("young", young);
  await store.dropAbandoned?.(limits.uploadAbandoned_ms);
  assert.deepEqual([...s3.uploads.keys()], ["young"]);
  store.close();
});

/** A process of its own puts BYTES; when the store holds a part of it, it is killed. */
async function killedWhilePutting({ cloud, env }: World, dataDir: string): Promise<void> {
  const program = fileURLToPath(new URL("../../../testkit/src/clouds/put.ts", import.meta.url));
  const child = spawn(process.execPath, [program, dataDir, String(BYTES.length), "faults"], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  await Promise.race([cloud.held(), once(child, "exit").then(() => assert.fail("it ended before its third part"))]);
  child.kill("SIGKILL");
  await once(child, "exit");
}

function spoiled(store: ObjectStore): ObjectStore {
  return {
    ...store,
    write: (name, content) =>
      store.write(name, {
        ...content,
        withBytes: (start, length, use) =>
          content.withBytes(start, length, (bytes) => {
            const other = Buffer.from(bytes);
            other[0] = (other[0] as number) ^ 1;
            return use(other);
          }),
      }),
  };
}
