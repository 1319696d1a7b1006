/** Both stores of sessions against the one contract. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { createTestDatabase } from "../../../testkit/src/server.ts";
import { simulate } from "../../../testkit/src/simulation.ts";
import { openDatabase } from "../db/database.ts";
import { testSessionStore } from "./conformance.ts";
import { openMemorySessions } from "./memory.ts";
import { openPostgresqlSessions } from "./postgresql.ts";

testSessionStore({
  name: "memory",
  async open() {
    const { seams, advance } = simulate(1) as ReturnType<typeof simulate> & { advance(ms: number): Promise<void> };
    return { ways: [openMemorySessions(seams)], pass: advance, [Symbol.asyncDispose]: async () => {} };
  },
});

async function openDatabases() {
  const database = await createTestDatabase();
  const open = () => openDatabase({ url: database.url, connections: 2, onError: () => {} });
  const [one, other] = [open(), open()];
  const dispose = async () => {
    await Promise.all([one.close(), other.close()]);
    await database[Symbol.asyncDispose]();
  };
  return { one, other, [Symbol.asyncDispose]: dispose };
}

testSessionStore({
  name: "postgresql",
  async open() {
    const { one, other, ...rest } = await openDatabases();
    // The database's clock can not be set: everything else goes back.
    const pass = async (time_ms: number) =>
      void (await one.console.change(
        "update console.sessions set expires_at = expires_at - $1::bigint * interval '1 millisecond'",
        [time_ms],
      ));
    return { ways: [openPostgresqlSessions(one.console), openPostgresqlSessions(other.console)], pass, ...rest };
  },
});

test("postgresql: the id of a session is nowhere in the database, only its hash", async () => {
  await using dbs = await openDatabases();
  const store = openPostgresqlSessions(dbs.one.console);
  const id = "a very secret id of a session";
  await store.set(id, JSON.stringify({ user: "@ana:x" }), { owner: "@ana:x", ttl_ms: 60_000 });
  const rows = await dbs.one.console.query<{ row: string; hash: Buffer }>(
    "select s::text as row, session_hash as hash from console.sessions s",
  );
  assert.equal(rows.length, 1);
  assert.ok(!rows[0]?.row.includes(id) && !rows[0]?.row.includes(Buffer.from(id).toString("hex")));
  assert.deepEqual(rows[0]?.hash, hash("sha256", id, "buffer"));
});
