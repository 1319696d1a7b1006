/** Account data, tags, filters, profiles and push rules, through the paths. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Json, type Person, registerPerson, signInPerson } from "../../../testkit/src/http.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { startTestServer } from "../../../testkit/src/server.ts";

const server = await startTestServer();
after(() => server.stop());
const V3 = "/_matrix/client/v3";
const alice = await registerPerson(server.url, "alice");
const bob = await registerPerson(server.url, "bob");
const own = (person: Person, rest: string) => `${V3}/user/${encodeURIComponent(person.userId)}/${rest}`;

async function refusal(answer: ReturnType<Person["ask"]>): Promise<[number, unknown]> {
  const { status, body } = await answer;
  return [status, body.errcode];
}

test("account data is read as it was written, reaches the other devices, and nobody else reads it", async () => {
  const other = await signInPerson(server.url, "alice");
  const { next_batch: since } = await other.call("GET", `${V3}/sync`);
  const content = { a: { b: [1, "ü", null] }, "": "\u0000" };
  await alice.call("PUT", own(alice, "account_data/org.example.a"), content);
  assert.deepEqual(await other.call("GET", own(alice, "account_data/org.example.a")), content);
  const news = await other.call("GET", `${V3}/sync?since=${since}`);
  assert.deepEqual(
    news.account_data.events.filter(({ type }: Json) => type === "org.example.a"),
    [{ type: "org.example.a", content }],
  );
  assert.deepEqual(await refusal(bob.ask("GET", own(alice, "account_data/org.example.a"))), [403, "M_FORBIDDEN"]);
  assert.deepEqual(await refusal(bob.ask("PUT", own(alice, "account_data/org.example.a"), {})), [403, "M_FORBIDDEN"]);
});

test("what was never written is not found, what the server writes is not taken, and too much is refused", async () => {
  assert.deepEqual(await refusal(alice.ask("GET", own(alice, "account_data/none"))), [404, "M_NOT_FOUND"]);
  assert.deepEqual(await refusal(alice.ask("PUT", own(alice, "account_data/m.push_rules"), {})), [405, "M_BAD_JSON"]);
  const large = { a: "x".repeat(70_000) };
  assert.deepEqual(await refusal(alice.ask("PUT", own(alice, "account_data/a"), large)), [413, "M_TOO_LARGE"]);
});

test("tags are set, listed and taken away, also where a client had stored nonsense in their place", async () => {
  const { id } = await createRoom(alice);
  const tags = own(alice, `rooms/${encodeURIComponent(id)}/tags`);
  for (const nonsense of [{ tags: "none" }, { tags: { bad: 1 } }, {}, { tags: [1] }]) {
    await alice.call("PUT", own(alice, `rooms/${encodeURIComponent(id)}/account_data/m.tag`), nonsense);
    assert.deepEqual(await alice.call("GET", tags), { tags: {} });
    await alice.call("PUT", `${tags}/m.favourite`, { order: 0.5 });
    assert.deepEqual(await alice.call("GET", tags), { tags: { "m.favourite": { order: 0.5 } } });
  }
  await Promise.all(["u.a", "u.b", "u.c"].map((tag) => alice.call("PUT", `${tags}/${tag}`, {})));
  await alice.call("DELETE", `${tags}/m.favourite`);
  assert.deepEqual(await alice.call("GET", tags), { tags: { "u.a": {}, "u.b": {}, "u.c": {} } });
  assert.deepEqual(await refusal(alice.ask("PUT", `${tags}/u.a`, { order: 2 })), [400, "M_BAD_JSON"]);
});

test("a filter is stored once, read back, and belongs to its owner", async () => {
  const filter = { room: { timeline: { limit: 3 } } };
  const { filter_id } = await alice.call("POST", own(alice, "filter"), filter);
  assert.equal((await alice.call("POST", own(alice, "filter"), filter)).filter_id, filter_id);
  assert.deepEqual(await alice.call("GET", own(alice, `filter/${filter_id}`)), filter);
  assert.deepEqual(await refusal(bob.ask("GET", own(bob, `filter/${filter_id}`))), [404, "M_NOT_FOUND"]);
  assert.deepEqual(await refusal(bob.ask("GET", own(alice, `filter/${filter_id}`))), [403, "M_FORBIDDEN"]);
  assert.deepEqual(await refusal(alice.ask("GET", own(alice, "filter/none"))), [404, "M_NOT_FOUND"]);
  const wrong = { room: { timeline: { limit: "all" } } };
  assert.deepEqual(await refusal(alice.ask("POST", own(alice, "filter"), wrong)), [400, "M_BAD_JSON"]);
  assert.deepEqual(await refusal(bob.ask("GET", `${V3}/sync?filter=${filter_id}`)), [404, "M_NOT_FOUND"]);
});

test("a profile is what its owner says; a name that is taken away is gone, and shows in the rooms", async () => {
  const path = (rest = "") => `${V3}/profile/${encodeURIComponent(alice.userId)}${rest}`;
  const room = await createRoom(alice);
  await alice.call("PUT", path("/displayname"), { displayname: "Alice" });
  assert.deepEqual(await bob.call("GET", path("/displayname")), { displayname: "Alice" });
  const member = await alice.call("GET", `${room.path}/state/m.room.member/${encodeURIComponent(alice.userId)}`);
  assert.equal(member.displayname, "Alice");
  await alice.call("PUT", path("/m.tz"), { "m.tz": "Europe/Berlin" });
  await alice.call("PUT", path("/displayname"), { displayname: "" });
  assert.deepEqual(await bob.call("GET", path()), { "m.tz": "Europe/Berlin" });
  await alice.call("DELETE", path("/m.tz"));
  assert.deepEqual(await bob.call("GET", path()), {});
  assert.deepEqual(await refusal(bob.ask("PUT", path("/displayname"), { displayname: "B" })), [403, "M_FORBIDDEN"]);
  assert.deepEqual(await refusal(bob.ask("GET", `${V3}/profile/@nobody:localhost`)), [404, "M_NOT_FOUND"]);
  const long = { displayname: "x".repeat(300) };
  assert.deepEqual(await refusal(alice.ask("PUT", path("/displayname"), long)), [400, "M_PROFILE_TOO_LARGE"]);
});

test("push rules: all predefined ones are there, an own one is added, changed and taken away", async () => {
  const rule = `${V3}/pushrules/global/content/cake`;
  const { global } = await alice.call("GET", `${V3}/pushrules/`);
  assert.ok(global.override.some(({ rule_id }: Json) => rule_id === ".m.rule.master"));
  await alice.call("PUT", rule, { pattern: "cake", actions: ["notify"] });
  await alice.call("PUT", `${rule}/enabled`, { enabled: false });
  await alice.call("PUT", `${rule}/actions`, { actions: [] });
  const { pattern, enabled, actions } = await alice.call("GET", rule);
  assert.deepEqual({ pattern, enabled, actions }, { pattern: "cake", enabled: false, actions: [] });
  await alice.call("DELETE", rule);
  assert.deepEqual(await refusal(alice.ask("GET", rule)), [404, "M_NOT_FOUND"]);
  assert.deepEqual(await refusal(bob.ask("GET", `${V3}/pushrules/global/odd/cake`)), [400, "M_INVALID_PARAM"]);
});

test("receipts that are sent at once end at the newest event, whatever their order", async () => {
  const room = await createRoom(alice);
  await room.change(bob, "join");
  const events: string[] = [];
  for (let i = 0; i < 8; i++) events.push(await room.say(alice, `m${i}`));
  const order = [3, 7, 1, 6, 0, 5, 2, 4];
  await Promise.all(order.map((i) => bob.call("POST", `${room.path}/receipt/m.read/${events[i]}`, {})));
  const row = await server.ctx.db.log.one<{ event_id: string }>(
    "select event_id from log.receipts where room_id = $1 and user_id = $2 and type = 'm.read'",
    [room.id, bob.userId],
  );
  assert.equal(row?.event_id, events[7]);
});

test("presence is seen by who shares a room, and typing is for members", async () => {
  const path = `${V3}/presence/${encodeURIComponent(bob.userId)}/status`;
  const carol = await registerPerson(server.url, "carol");
  await bob.call("PUT", path, { presence: "unavailable", status_msg: "lunch" });
  const { presence, status_msg } = await alice.call("GET", path);
  assert.deepEqual({ presence, status_msg }, { presence: "unavailable", status_msg: "lunch" });
  assert.deepEqual(await refusal(carol.ask("GET", path)), [403, "M_FORBIDDEN"]);
  assert.deepEqual(await refusal(alice.ask("PUT", path, { presence: "online" })), [403, "M_FORBIDDEN"]);
  const room = await createRoom(alice);
  const typing = (person: Person) => `${room.path}/typing/${encodeURIComponent(person.userId)}`;
  assert.deepEqual(await refusal(carol.ask("PUT", typing(carol), { typing: true })), [403, "M_FORBIDDEN"]);
  assert.deepEqual(await refusal(alice.ask("PUT", typing(alice), { typing: 2 })), [400, "M_BAD_JSON"]);
  await alice.call("PUT", typing(alice), { typing: 1, timeout: 10_000 });
  assert.deepEqual(server.ctx.ephemeral.typing(room.id)?.users, [alice.userId]);
});
