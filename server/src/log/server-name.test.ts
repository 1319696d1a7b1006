/** The server name is kept from the first start on. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { registerPerson } from "../../../testkit/src/http.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { connectOwner } from "../db/database.ts";
import { StartError } from "../errors.ts";

test("a server with another name than the first one's is refused, and told which name is right", async () => {
  await using first = await startTestServer({ config: { serverName: "example.org" } });
  const { databaseUrl } = first;
  await assert.rejects(startTestServer({ databaseUrl, config: { serverName: "chat.example.org" } }), (error: Error) => {
    assert.ok(error instanceof StartError);
    return /belongs to the server "example.org".*Set PARLEY_SERVER_NAME=example.org/.test(error.message);
  });
  await using second = await startTestServer({ databaseUrl, config: { serverName: "example.org" } });
  assert.ok(second.url);
});

test("a database from before the name was kept gets it from the ids in its log", async () => {
  await using server = await startTestServer({ config: { serverName: "example.org:8448" } });
  await createRoom(await registerPerson(server.url, "alice"));
  const client = await connectOwner(server.databaseUrl);
  try {
    await client.query("update log.installation set server_name = null");
    const file = new URL("../db/migrations/log/0006_installation.sql", import.meta.url);
    const statement = /^update log\.installation[^;]*;/m.exec(readFileSync(file, "utf8"))?.[0] as string;
    await client.query(statement);
    const { rows } = await client.query("select server_name from log.installation");
    assert.deepEqual(rows, [{ server_name: "example.org:8448" }]);
  } finally {
    await client.end();
  }
});
