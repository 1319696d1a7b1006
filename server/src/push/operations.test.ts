/** What operators see of pushers, and do with those whose gateway takes nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../../testkit/src/http.ts";
import { makeOperator } from "../../../testkit/src/operators.ts";
import { startPushGateway } from "../../../testkit/src/push-gateway.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { people } from "../../../testkit/src/syncing.ts";
import { readAllowed } from "../outward/guard.ts";

const PUSHERS = "/_parley/admin/v1/pushers";
const reason = "its gateway is gone";

test("an operator sees whose gateway takes nothing, has it tried at once, and removes it; keys and addresses stay hidden", async () => {
  await using gateway = await startPushGateway();
  gateway.answer = () => 500;
  const push = { hosts: readAllowed("127.0.0.1"), vapidKey: undefined };
  await using server = await startTestServer({ config: { push } });
  const [alice, bob] = await people(server, "alice", "bob");
  assert.ok(alice && bob);
  const [olga, aron] = [await makeOperator(server, "olga", "operator"), await makeOperator(server, "aron", "auditor")];
  const set = (pushkey: string) =>
    bob.call("POST", "/_matrix/client/v3/pushers/set", {
      kind: "http",
      app_id: "org.example.app",
      pushkey,
      app_display_name: "App",
      device_display_name: "Phone",
      lang: "en",
      data: { url: gateway.url },
    });
  await set("secret-key-1");
  await set("secret-key-2");
  const room = await createRoom(alice, { invite: [bob.userId] });
  await gateway.askedTimes(2);
  await server.ctx.db.push.change(
    "update push.pushers set failures = 9, failing_since = now() - interval '1 hour', due_at = now() + interval '1 hour' where pushkey = 'secret-key-1'",
  );
  const page = await aron.call("GET", `${PUSHERS}?limit=1`);
  const rest = await aron.call("GET", `${PUSHERS}?limit=1&from=${page.next}`);
  const [{ pusher_id, ...shown }] = rest.items;
  assert.deepEqual([shown.user_id, shown.host], [bob.userId, new URL(gateway.url).host]);
  // The worker may have noted one more meanwhile.
  assert.ok(shown.failures >= 9, `${shown.failures}`);
  assert.ok(shown.waiting > 0);
  const all = (await aron.call("GET", `${PUSHERS}?failing=true&user_id=${bob.userId}`)).items;
  assert.ok(all.some((each: Json) => each.pusher_id === pusher_id));
  assert.doesNotMatch(JSON.stringify([page, rest, all]), /secret-key|notify/);
  assert.deepEqual((await aron.call("GET", `${PUSHERS}?user_id=${alice.userId}`)).items, []);

  assert.equal((await aron.ask("POST", `${PUSHERS}/${pusher_id}/retry`, {})).status, 403);
  gateway.answer = undefined;
  const told: string[] = [];
  server.ctx.bus.subscribe("due", (message) => void told.push(message));
  await olga.call("POST", `${PUSHERS}/${pusher_id}/retry`, {});
  assert.ok(told.includes('{"due":"push","within_ms":0}'), "a worker that sleeps is woken");
  await gateway.took("what waited for it", ({ devices }) => devices[0].pushkey === "secret-key-1");
  assert.equal((await olga.ask("POST", `${PUSHERS}/${pusher_id}/remove`, {})).status, 400, "without a reason");
  await olga.call("POST", `${PUSHERS}/${pusher_id}/remove`, { reason });
  assert.equal((await olga.ask("POST", `${PUSHERS}/${pusher_id}/remove`, { reason })).status, 404);
  assert.equal((await bob.call("GET", "/_matrix/client/v3/pushers")).pushers.length, 1);
  const { items } = await aron.call("GET", "/_parley/admin/v1/audit?action=pushers.remove&outcome=done");
  assert.deepEqual([items[0].target, items[0].before.device], [bob.userId, "Phone"]);
  assert.doesNotMatch(JSON.stringify(items), /secret-key/);
  assert.ok(room.id);
});
