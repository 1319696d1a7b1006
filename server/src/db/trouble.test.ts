/** G15: trouble is told, not hidden: no success while nothing can be written, a time to come back, and all is well soon after. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { registerPerson, request } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { limits } from "../limits.ts";
import { connectOwner } from "./database.ts";

const CLIENT = "/_matrix/client/v3";
const RECOVERY_MS = 10_000;

/** Lets the database only read, or write again: open connections are ended, for they keep what they began with. */
async function setReadOnly(databaseUrl: string, isReadOnly: boolean): Promise<void> {
  const owner = await connectOwner(databaseUrl);
  const name = new URL(databaseUrl).pathname.slice(1);
  await owner.query("set default_transaction_read_only = off");
  await owner.query(`alter database "${name}" set default_transaction_read_only = ${isReadOnly ? "on" : "off"}`);
  await owner.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
  );
  await owner.end();
}

test("while the database only reads a send is 503 with a time to come back and not in the room; reading and typing go on", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const { room_id } = await alice.call("POST", `${CLIENT}/createRoom`, {});
  const room = `${CLIENT}/rooms/${encodeURIComponent(room_id as string)}`;
  const send = (txn: string) =>
    request(server.url, "PUT", `${room}/send/m.room.message/${txn}`, {
      token: alice.token,
      body: { msgtype: "m.text", body: txn },
    });
  const messages = async () => {
    const { chunk } = await alice.call("GET", `${room}/messages?dir=b&limit=50`);
    return (chunk as { content: { body?: string } }[]).flatMap(({ content }) => content.body ?? []);
  };
  assert.equal((await send("before")).status, 200);
  await setReadOnly(server.databaseUrl, true);
  const refusing = send("during");
  // What is worth little must not wait for what can not be done.
  const begun_ms = performance.now();
  const typing = await request(server.url, "PUT", `${room}/typing/${encodeURIComponent(alice.userId)}`, {
    token: alice.token,
    body: { typing: true, timeout: 30_000 },
  });
  const took_ms = performance.now() - begun_ms;
  assert.equal(typing.status, 200);
  const presence = `${CLIENT}/presence/${encodeURIComponent(alice.userId)}/status`;
  await alice.call("PUT", presence, { presence: "online" });
  assert.ok(took_ms < limits.databasePatience_ms / 2, `typing took ${took_ms} ms`);
  assert.deepEqual(await messages(), ["before"]);
  const refused = await refusing;
  assert.equal(refused.status, 503);
  assert.equal(refused.body.errcode, "IO_PARLEY_UNAVAILABLE");
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
  await setReadOnly(server.databaseUrl, false);
  const healed_ms = performance.now();
  while ((await send("during")).status !== 200)
    assert.ok(performance.now() - healed_ms < RECOVERY_MS, "it writes again in time");
  assert.deepEqual(await messages(), ["during", "before"]);
});
