/** Every store keeps the same rules; the real servers are started for it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Redis } from "ioredis";
import { createTestDatabase } from "../../../testkit/src/server.ts";
import { missingService, type Service, startService } from "../../../testkit/src/services.ts";
import { connectOwner, type Database, openDatabase } from "../db/database.ts";
import { realSeams } from "../seams.ts";
import { conformance, openReplicas, type Replica } from "./conformance.ts";
import { openMemoryStore } from "./memory.ts";
import { openPostgresqlStore } from "./postgresql.ts";
import { openRedisStore } from "./redis.ts";

// In one process the replicas are two views of one memory.
const memory = openMemoryStore(realSeams);
conformance({ name: "memory", skip: false, openStore: async () => ({ ...memory, isShared: true }) });

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let db: Database;
before(async () => {
  database = await createTestDatabase();
  db = openDatabase({ url: database.url, connections: 4, onError() {}, patience_ms: 0, seams: realSeams });
});
after(async () => {
  await db.close();
  await database[Symbol.asyncDispose]();
});
conformance({
  name: "postgresql",
  skip: false,
  openStore: async () => openPostgresqlStore({ db: db.ephemeral, seams: realSeams }),
  // What a crash does to unlogged tables.
  async lose() {
    const owner = await connectOwner(database.url);
    const all = ["head", "typing", "rooms", "sessions", "people"].map((table) => `ephemeral.${table}`);
    await owner.query(`truncate ${all.join(", ")}`);
    await owner.end();
  },
});

const skip = missingService("redis");
let redis: Service;
before(async () => {
  if (!skip) redis = await startService("redis");
});
after(() => redis?.stop());
test("redis: what another release keeps there is left alone", { skip }, async () => {
  const client = new Redis(redis.url);
  const keys = ["parley:ephemeral:ends", "parley:ephemeral:changes"] as const;
  for (const key of keys) await client.zadd(key, 1, "z one two three", 1, "z");
  await using opened = await openReplicas({ openStore: () => openRedisStore(redis.url, realSeams) }, { count: 1 });
  const [replica] = opened.replicas as [Replica];
  replica.ephemeral.setTyping({ roomId: "!kept:x", userId: "@u:x", timeout_ms: 60_000 });
  await replica.ephemeral.written();
  assert.deepEqual(replica.ephemeral.typing("!kept:x")?.users, ["@u:x"]);
  assert.deepEqual(replica.warnings, []);
  assert.equal(await client.zscore(keys[0], "z one two three"), "1");
  await client.zrem(keys[0], "z one two three", "z");
  client.disconnect();
});
test("redis: other programs read how far an upload is", { skip }, async () => {
  const store = await openRedisStore(redis.url, { now_ms: () => 1_790_000_000_000 });
  await store.setUploads([{ id: "it", userId: "@u:x", status: "uploading", bytes: 5, total: 10 }]);
  const client = new Redis(redis.url);
  assert.deepEqual(
    { ...(await client.hgetall("upload:it")) },
    { status: "uploading", bytes: "5", total: "10", updated_at: "1790000000000", user_id: "@u:x" },
  );
  assert.ok((await client.pttl("upload:it")) > 0);
  client.disconnect();
  await store.close();
});
conformance({
  name: "redis",
  skip,
  openStore: () => openRedisStore(redis.url, realSeams),
  async lose() {
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
  },
});
