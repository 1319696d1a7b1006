/** G4, G15: a process that is behind says so. Only a token that the log does not have makes a client start over. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { registerPerson, request } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { connectOwner } from "../db/database.ts";

test("a token that is ahead of this process is answered 503, one that is ahead of the log M_INVALID_PARAM", async () => {
  await using server = await startTestServer();
  const { token } = await registerPerson(server.url, "alice");
  const client = await connectOwner(server.databaseUrl);
  // The entries can not be read, while the head goes on.
  await client.query("begin");
  await client.query("lock table log.entries in access exclusive mode");
  const head = server.ctx.log.hub.head();
  await server.ctx.db.log.change("update log.head set position = position + 1");
  const syncFrom = (position: number) =>
    request(server.url, "GET", `/_matrix/client/v3/sync?since=s1_${position}`, { token });
  const [behind, unknown] = await Promise.all([syncFrom(head + 1), syncFrom(head + 1_000)]);
  await client.end();
  assert.equal(behind.status, 503);
  assert.equal(behind.body.errcode, "IO_PARLEY_UNAVAILABLE");
  assert.ok(Number(behind.headers.get("retry-after")) > 0);
  assert.equal(unknown.status, 400);
  assert.equal(unknown.body.errcode, "M_INVALID_PARAM");
  assert.equal((await syncFrom(head + 1)).status, 200, "and it goes on as soon as it can read");
});
