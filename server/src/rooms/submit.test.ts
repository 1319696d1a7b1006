import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";

/** Two replicas on one database. Their buses do not reach each other, so each is up to a second behind the other. */
const config = { roles: ["auth", "messages"] as const };
let here: TestServer;
let there: TestServer;
let alice: Person;
let bob: Person;

before(async () => {
  here = await startTestServer({ config });
  there = await startTestServer({ config, databaseUrl: here.databaseUrl });
  alice = await registerPerson(here.url, "alice");
  bob = await registerPerson(here.url, "bob");
});
after(async () => {
  await there.stop();
  await here.stop();
});

/** The same person through the other replica. */
async function through(server: TestServer, { token }: Person, ...[method, path, body]: [string, string, unknown?]) {
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function newRoom(options: object = {}): Promise<string> {
  const { room_id } = await alice.call("POST", "/_matrix/client/v3/createRoom", options);
  return `/_matrix/client/v3/rooms/${encodeURIComponent(room_id as string)}`;
}

async function eventsIn(path: string): Promise<{ event_id: string; type: string; sender: string; position: number }[]> {
  const roomId = decodeURIComponent(path.split("/").at(-1) as string);
  return here.ctx.db.log.query(
    "select event_id, type, user_id as sender, position from log.entries where room_id = $1 order by position",
    [roomId],
  );
}

test("a retry through another replica gets the first answer and sends nothing", async () => {
  const room = await newRoom();
  const send = `${room}/send/m.room.message/retried`;
  const first = await through(here, alice, "PUT", send, { body: "once" });
  const second = await through(there, alice, "PUT", send, { body: "once" });
  assert.equal(first.status, 200);
  assert.deepEqual(second, first);
  assert.equal((await eventsIn(room)).filter(({ type }) => type === "m.room.message").length, 1);
});

test("many retries at once through two replicas send one event", async () => {
  const room = await newRoom();
  const send = `${room}/send/m.room.message/crowd`;
  const tries = Array.from({ length: 20 }, (_, i) =>
    through(i % 2 ? here : there, alice, "PUT", send, { body: "once" }),
  );
  const ids = new Set((await Promise.all(tries)).map(({ body }) => body["event_id"]));
  assert.equal(ids.size, 1);
  assert.equal((await eventsIn(room)).filter(({ type }) => type === "m.room.message").length, 1);
});

test("a transaction id is scoped to its path and its session", async () => {
  const room = await newRoom({ preset: "public_chat" });
  await bob.call("POST", `${room}/join`, {});
  const ids = [
    await alice.call("PUT", `${room}/send/m.room.message/same`, { body: "a" }),
    await alice.call("PUT", `${room}/send/m.other/same`, { body: "a" }),
    await bob.call("PUT", `${room}/send/m.room.message/same`, { body: "a" }),
  ];
  assert.equal(new Set(ids.map(({ event_id }) => event_id)).size, 3);
});

test("a retry of what was acknowledged gets its answer from somebody who was removed since", async () => {
  const room = await newRoom({ preset: "public_chat" });
  await bob.call("POST", `${room}/join`, {});
  const send = `${room}/send/m.room.message/before`;
  const first = await bob.call("PUT", send, { body: "I was here" });
  await alice.call("POST", `${room}/kick`, { user_id: bob.userId });
  assert.deepEqual(await bob.call("PUT", send, { body: "I was here" }), first);
  assert.equal((await bob.ask("PUT", `${room}/send/m.room.message/after`, { body: "still here" })).status, 403);
});

test("a member who was removed through one replica can not send through another that does not know it yet", async () => {
  const room = await newRoom({ preset: "public_chat" });
  await through(there, bob, "POST", `${room}/join`, {});
  assert.equal((await through(there, bob, "PUT", `${room}/send/m.room.message/1`, { body: "in" })).status, 200);
  await through(here, alice, "POST", `${room}/kick`, { user_id: bob.userId });
  const late = await through(there, bob, "PUT", `${room}/send/m.room.message/2`, { body: "slipped in" });
  assert.equal(late.status, 403);
  assert.equal(late.body["errcode"], "M_FORBIDDEN");
});

test("a message never stands behind the removal of its sender, however they race", async () => {
  const room = await newRoom({ preset: "public_chat" });
  for (let round = 0; round < 5; round++) {
    await through(there, bob, "POST", `${room}/join`, {});
    const sends = Array.from({ length: 10 }, (_, i) =>
      through(there, bob, "PUT", `${room}/send/m.room.message/${round}-${i}`, { body: "racing" }),
    );
    const kick = through(here, alice, "POST", `${room}/kick`, { user_id: bob.userId });
    const answers = await Promise.all(sends);
    assert.equal((await kick).status, 200);
    const events = await eventsIn(room);
    const removal = events.findLast(({ type, sender }) => type === "m.room.member" && sender === alice.userId);
    const late = events.filter(({ sender, position }) => sender === bob.userId && position > (removal?.position ?? 0));
    assert.deepEqual(late, []);
    assert.ok(answers.every(({ status }) => status === 200 || status === 403));
  }
});

test("power that was taken away through one replica is gone on another that does not know it yet", async () => {
  const room = await newRoom({ preset: "public_chat", room_version: "11" });
  await bob.call("POST", `${room}/join`, {});
  const levels = await alice.call("GET", `${room}/state/m.room.power_levels/`);
  const raised = { ...levels, users: { ...levels.users, [bob.userId]: 50 } };
  await alice.call("PUT", `${room}/state/m.room.power_levels/`, raised);
  assert.equal((await through(there, bob, "PUT", `${room}/state/m.room.name/`, { name: "one" })).status, 200);
  await alice.call("PUT", `${room}/state/m.room.power_levels/`, levels);
  assert.equal((await through(there, bob, "PUT", `${room}/state/m.room.name/`, { name: "two" })).status, 403);
});

test("who was invited through one replica can join at once through another", async () => {
  const room = await newRoom();
  assert.equal((await through(there, bob, "POST", `${room}/join`, {})).status, 403);
  await through(here, alice, "POST", `${room}/invite`, { user_id: bob.userId });
  assert.equal((await through(there, bob, "POST", `${room}/join`, {})).status, 200);
});

test("who left the one room through one replica can not join the other for it through another", async () => {
  const { room_id: space } = await alice.call("POST", "/_matrix/client/v3/createRoom", { preset: "public_chat" });
  const spacePath = `/_matrix/client/v3/rooms/${encodeURIComponent(space)}`;
  const allow = [{ type: "m.room_membership", room_id: space }];
  const join_rules = { type: "m.room.join_rules", content: { join_rule: "restricted", allow } };
  const room = await newRoom({ initial_state: [join_rules] });
  await through(there, bob, "POST", `${spacePath}/join`, {});
  assert.equal((await through(there, bob, "POST", `${room}/join`, {})).status, 200);
  await through(there, bob, "POST", `${room}/leave`, {});
  await through(here, bob, "POST", `${spacePath}/leave`, {});
  assert.equal((await through(there, bob, "POST", `${room}/join`, {})).status, 403);
});

test("state that changes on two replicas at once says truly what it replaced", async () => {
  const room = await newRoom();
  const names = Array.from({ length: 20 }, (_, i) => `name ${i}`);
  const puts = names.map((name, i) =>
    through(i % 2 ? here : there, alice, "PUT", `${room}/state/m.room.name/`, { name }),
  );
  const answers = await Promise.all(puts);
  assert.ok(answers.every(({ status }) => status === 200));
  const roomId = decodeURIComponent(room.split("/").at(-1) as string);
  const rows = await here.ctx.db.log.query<{ event_id: string; unsigned: string | null }>(
    "select event_id, unsigned from log.entries where room_id = $1 and type = 'm.room.name' order by position",
    [roomId],
  );
  const replaced = rows.map(({ unsigned }) => unsigned && JSON.parse(unsigned).replaces_state);
  assert.equal(rows.length, 20);
  assert.deepEqual(replaced, [null, ...rows.slice(0, -1).map(({ event_id }) => event_id)]);
});
