/** What operators see of application services. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startService } from "../../../testkit/src/appservice.ts";
import { registerPerson } from "../../../testkit/src/http.ts";
import { makeOperator } from "../../../testkit/src/operators.ts";
import { startTestServer } from "../../../testkit/src/server.ts";

test("an operator sees which services are registered, how far behind one is and why, and no token", async () => {
  const rooms = { namespaces: { rooms: [{ exclusive: false, regex: "!.*" }] } };
  await using there = await startService("there", rooms);
  await using away = await startService("away", rooms);
  await using mute = await startService("mute", { url: null });
  away.answer = () => ({ status: 502, body: "the gateway's page" });
  const files = [there.file, away.file, mute.file];
  await using server = await startTestServer({ config: { appservices: files } });
  const operator = await makeOperator(server, "olga", "auditor");
  const bob = await registerPerson(server.url, "bob");
  await bob.call("POST", "/_matrix/client/v3/createRoom", {});
  await away.until("it was asked twice", (asked) => asked.length > 1);
  await there.until("it was asked", (asked) => asked.length > 0);
  const { items } = await operator.call("GET", "/_parley/admin/v1/appservices");
  const [first, second, third] = items;
  assert.deepEqual([first.id, first.failures, first.error, first.sender], ["there", 0, null, "@_there_bot:localhost"]);
  assert.ok(second.failures > 0 && second.backlog > 0);
  assert.match(second.error, /answered 502/);
  assert.deepEqual([third.url, third.backlog], [null, null]);
  assert.doesNotMatch(JSON.stringify(items), /token/);
});
