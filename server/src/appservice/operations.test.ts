/** What operators see of application services. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startService, type TestService } from "../../../testkit/src/appservice.ts";
import { type Json, registerPerson } from "../../../testkit/src/http.ts";
import { makeOperator } from "../../../testkit/src/operators.ts";
import { startTestServer } from "../../../testkit/src/server.ts";

const SERVICES = "/_parley/admin/v1/appservices";

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
  const [second, third, first] = items;
  assert.deepEqual([first.id, first.failures, first.error, first.sender], ["there", 0, null, "@_there_bot:localhost"]);
  assert.deepEqual([first.state, third.state], ["idle", "silent"]);
  assert.ok(second.state === "failing" && second.failures > 0 && second.backlog > 0 && second.waiting_bytes > 0);
  assert.match(second.error, /answered 502/);
  assert.deepEqual([third.url, third.backlog], [null, null]);
  assert.doesNotMatch(JSON.stringify(items), /token/);
});

test("an operator reads a registration, has what waits sent at once, and pings; all of it is in the audit log", async () => {
  await using away = await startService("away", { namespaces: { rooms: [{ exclusive: false, regex: "!.*" }] } });
  await using mute = await startService("mute", { url: null });
  away.answer = () => ({ status: 502, body: "the gateway's page" });
  await using server = await startTestServer({ config: { appservices: [away.file, mute.file] } });
  const olga = await makeOperator(server, "olga", "operator");
  const aron = await makeOperator(server, "aron", "auditor");
  const bob = await registerPerson(server.url, "bob");
  await bob.call("POST", "/_matrix/client/v3/createRoom", {});
  await away.until("it was asked", (asked) => asked.length > 0);
  const one = `${SERVICES}/away`;
  const shown = await aron.call("GET", one);
  assert.deepEqual(shown.namespaces, { users: [], aliases: [], rooms: [{ regex: "!.*", exclusive: false }] });
  assert.doesNotMatch(JSON.stringify(shown), /token/);
  assert.equal((await aron.ask("POST", `${one}/ping`, {})).status, 403);
  const { ok, errcode } = await olga.call("POST", `${one}/ping`);
  assert.deepEqual([ok, errcode], [false, "M_BAD_STATUS"]);
  await server.ctx.db.appservice.change(
    "update appservice.services set retry_at = now() + interval '1 hour', failures = 9",
  );
  const told = async () =>
    (await aron.call("GET", "/_parley/admin/v1/overview")).attention.map((each: Json) => each.kind);
  assert.ok(!(await told()).includes("service_failing"), "one that has failed for a moment is no matter");
  await server.ctx.db.appservice.change(
    "update appservice.services set failing_since = now() - interval '1 hour' where service_id = 'away'",
  );
  assert.ok((await told()).includes("service_failing"));
  away.answer = () => ({ status: 200 });
  away.asked.length = 0;
  assert.equal((await olga.call("POST", `${one}/retry`, { reason: "it is up" })).retry_ts, null);
  await away.until("it took it", (asked) => asked.some(({ path }) => path.includes("/transactions/")));
  assert.deepEqual((await olga.call("POST", `${one}/ping`)).error, null);
  const without = await olga.ask("POST", `${SERVICES}/mute/retry`, {});
  assert.deepEqual([without.status, without.body.errcode], [400, "M_URL_NOT_SET"]);
  assert.equal((await olga.ask("GET", `${SERVICES}/nobody`)).status, 404);
  const { items } = await aron.call("GET", "/_parley/admin/v1/audit?action=appservices");
  assert.deepEqual(
    new Set(items.map(({ action }: { action: string }) => action)),
    new Set(["appservices.retry", "appservices.ping"]),
  );
});

test("a list of services has pages, and finds one by its address", async () => {
  const [first, second] = await Promise.all(["one", "two"].map((id) => startService(id, { url: null })));
  await using one = first as TestService;
  await using two = second as TestService;
  await using server = await startTestServer({ config: { appservices: [two.file, one.file] } });
  const aron = await makeOperator(server, "aron", "auditor");
  const page = await aron.call("GET", `${SERVICES}?limit=1`);
  assert.deepEqual([page.items[0].id, page.total], ["one", 2]);
  const rest = await aron.call("GET", `${SERVICES}?limit=1&from=${page.next}`);
  assert.deepEqual([rest.items[0].id, rest.next], ["two", undefined]);
  assert.deepEqual((await aron.call("GET", `${SERVICES}?q=_TWO_`)).items.length, 1);
});
