import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, request } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { soon } from "../../../testkit/src/wait.ts";
import { moderateAccount } from "../auth/moderation.ts";
import { limits } from "../limits.ts";
import { sendDue, startDelayed } from "./delayed-send.ts";

// No worker runs here: the tests say when it is looked for what is due, and the database what time it is.
const { server, alice, bob } = await startNeighbours(["alice", "bob"], { config: { roles: ["auth", "messages"] } });
const DELAYED = "/_matrix/client/unstable/org.matrix.msc4140/delayed_events";
const TYPE = "org.example.call";
const after = (delay_ms: unknown) => `?org.matrix.msc4140.delay=${delay_ms}`;
const room = await createRoom(alice, { power_level_content_override: { events: { [TYPE]: 0 } } });
await room.change(bob, "join");

const waiting = async (who: Person): Promise<Json[]> => (await who.call("GET", DELAYED)).delayed_events;
const anyone = (id: string, action: string) => request(server.url, "POST", `${DELAYED}/${id}/${action}`, { body: {} });
const stateAt = async (key: string): Promise<Json> => (await room.ask(alice, `state/${TYPE}/${key}`)).body;

async function scheduleState(who: Person, key: string): Promise<string> {
  const path = `${room.path}/state/${TYPE}/${key}${after(60_000)}`;
  return (await who.call("PUT", path, { left: true })).delay_id;
}

/** As if so much time had gone by. */
async function pass(time_ms: number): Promise<void> {
  const sql = "update rooms.delayed_events set send_at = send_at - $1 * interval '1 millisecond'";
  await server.ctx.db.rooms.change(sql, [time_ms]);
  await sendDue(server.ctx);
}

test("a message is sent when its time has come, once, however often it is asked for", async () => {
  const path = `${room.path}/send/${TYPE}/once${after(60_000)}`;
  const { delay_id } = await alice.call("PUT", path, { count: 1 });
  assert.equal((await alice.call("PUT", path, {})).delay_id, delay_id);
  const [told] = await waiting(alice);
  const { running_since, ...rest } = told;
  assert.deepEqual(rest, { delay_id, room_id: room.id, type: TYPE, delay: 60_000, content: { count: 1 } });
  assert.equal(Math.abs(running_since - Date.now()) < 60_000, true);
  assert.deepEqual(await waiting(bob), []);
  assert.equal((await alice.call("GET", `${DELAYED}/${delay_id}`)).delay, 60_000);
  assert.equal((await bob.ask("GET", `${DELAYED}/${delay_id}`)).status, 404);
  await pass(30_000);
  assert.equal((await waiting(alice)).length, 1);
  await Promise.all([pass(30_000), sendDue(server.ctx), sendDue(server.ctx)]);
  assert.deepEqual(await waiting(alice), []);
  assert.equal((await alice.call("PUT", path, { count: 2 })).delay_id, delay_id);
  await pass(60_000);
  const { chunk } = await room.read(alice, "messages", { dir: "b", limit: 10, filter: { types: [TYPE] } });
  assert.deepEqual(
    chunk.map((event: Json) => event.content),
    [{ count: 1 }],
  );
});

test("state is set when its time has come; it can be put off, sent at once and cancelled, by whoever has its id", async () => {
  const late = await scheduleState(alice, "late");
  const cancelled = await scheduleState(alice, "cancelled");
  const now = await scheduleState(alice, "now");
  assert.equal((await anyone(cancelled, "cancel")).status, 200);
  assert.equal((await anyone(now, "send")).status, 200);
  assert.deepEqual(await stateAt("now"), { left: true });
  assert.equal((await anyone(late, "restart")).status, 200);
  await pass(40_000);
  assert.equal((await anyone(late, "restart")).status, 200);
  await pass(40_000);
  assert.equal((await stateAt("late")).errcode, "M_NOT_FOUND");
  await pass(20_000);
  assert.deepEqual(await stateAt("late"), { left: true });
  assert.equal((await stateAt("cancelled")).errcode, "M_NOT_FOUND");
  for (const ended of [late, cancelled, now])
    for (const action of ["restart", "send", "cancel"]) assert.equal((await anyone(ended, action)).status, 404);
  assert.equal((await anyone("unknown", "send")).status, 404);
  assert.equal((await anyone(late, "postpone")).status, 404);
  assert.equal((await request(server.url, "POST", `${DELAYED}/${late}`, { body: {} })).status, 400);
  assert.equal((await request(server.url, "POST", `${DELAYED}/${late}`, { body: { action: "send" } })).status, 404);
});

test("state that somebody else has set meanwhile stays; one's own does not keep it back", async () => {
  const [overtaken, own] = [await scheduleState(alice, "overtaken"), await scheduleState(alice, "own")];
  await bob.call("PUT", `${room.path}/state/${TYPE}/overtaken`, { by: "bob" });
  await alice.call("PUT", `${room.path}/state/${TYPE}/own`, { by: "alice" });
  assert.deepEqual(
    (await waiting(alice)).map(({ delay_id }) => delay_id),
    [own],
  );
  assert.equal((await alice.ask("GET", `${DELAYED}/${overtaken}`)).status, 404);
  await pass(60_000);
  assert.deepEqual(await stateAt("overtaken"), { by: "bob" });
  assert.deepEqual(await stateAt("own"), { left: true });
});

test("what the room refuses when the time has come is over", async () => {
  const other = await createRoom(alice);
  await other.change(bob, "join");
  await bob.call("PUT", `${other.path}/send/${TYPE}/gone${after(1_000)}`, {});
  await other.change(alice, "kick", bob);
  await pass(1_000);
  assert.deepEqual(await waiting(bob), []);
  assert.equal((await bob.ask("PUT", `${other.path}/send/${TYPE}/gone2${after(1_000)}`, {})).status, 403);
});

test("what a worker had that died is sent by the next", async () => {
  await alice.call("PUT", `${room.path}/state/${TYPE}/taken${after(0)}`, { left: true });
  const claim = (seconds: number) =>
    server.ctx.db.rooms.change(
      "update rooms.delayed_events set claimed_until = now() + $1 * interval '1 second' where ended_at is null",
      [seconds],
    );
  await claim(60);
  await pass(0);
  assert.equal((await stateAt("taken")).errcode, "M_NOT_FOUND");
  await claim(-1);
  await pass(0);
  assert.deepEqual(await stateAt("taken"), { left: true });
});

test("what could not be sent can be put off, and is tried again", async (t) => {
  const { delay_id } = await alice.call("PUT", `${room.path}/state/${TYPE}/failed${after(0)}`, { left: true });
  const { log } = server.ctx;
  const failing = t.mock.method(log, "append", () => Promise.reject(new Error("the database is away")));
  await pass(0);
  assert.ok(failing.mock.callCount() > 0);
  failing.mock.restore();
  await alice.call("POST", `/_matrix/client/unstable/org.matrix.msc4140/delayed_events/${delay_id}/restart`, {});
  await pass(0);
  assert.deepEqual(await stateAt("failed"), { left: true });
});

test("who is locked or suspended meanwhile says nothing any more", async () => {
  for (const state of [{ locked: true }, { suspended: true }]) {
    const [key] = Object.keys(state) as [string];
    const { delay_id } = await bob.call("PUT", `${room.path}/send/${TYPE}/${key}${after(1_000)}`, { key });
    const told = await scheduleState(bob, key);
    await moderateAccount(server.ctx, bob.userId, state);
    await pass(60_000);
    assert.equal((await anyone(told, "send")).status, 404);
    await moderateAccount(server.ctx, bob.userId, { locked: false, suspended: false });
    assert.equal((await stateAt(key)).errcode, "M_NOT_FOUND");
    const { chunk } = await room.read(alice, "messages", { dir: "b", limit: 20, filter: { types: [TYPE] } });
    assert.ok(!chunk.some(({ content }: Json) => content.key === key), `${delay_id} was sent`);
  }
});

test("a worker sleeps until the next is due, and is woken by what is due earlier", async () => {
  const waits: number[] = [];
  const [isAsleep, isSet] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const seams = {
    ...server.ctx.seams,
    after(delay_ms: number, action: () => void) {
      waits.push(delay_ms);
      if (delay_ms === limits.delayedLook_ms) isAsleep.resolve();
      return server.ctx.seams.after(delay_ms, action);
    },
  };
  server.ctx.log.hub.listen((entries) => {
    if (entries.some(({ type, stateKey }) => type === TYPE && stateKey === "soon")) isSet.resolve();
  });
  const end = await startDelayed({ ...server.ctx, seams });
  await soon("the worker sleeps", isAsleep.promise);
  await scheduleState(alice, "later");
  await alice.call("PUT", `${room.path}/state/${TYPE}/soon${after(50)}`, { left: true });
  await soon("what was due earlier is sent", isSet.promise);
  await end();
  assert.ok(waits.length < 8, `it looked again and again: ${waits.join(", ")}`);
});

test("a delay is a number of milliseconds within a day, and not too many wait", async () => {
  const ask = (delay_ms: unknown, txn = "d") =>
    alice.ask("PUT", `${room.path}/send/${TYPE}/${txn}${after(delay_ms)}`, {});
  for (const delay_ms of ["-1", "soon", "1.5"])
    assert.equal((await ask(delay_ms)).body.errcode, "M_INVALID_PARAM", delay_ms);
  const tooLong = await ask(limits.delayed_ms + 1);
  assert.deepEqual(
    [tooLong.status, tooLong.body["org.matrix.msc4140.errcode"], tooLong.body["org.matrix.msc4140.max_delay"]],
    [400, "M_MAX_DELAY_EXCEEDED", limits.delayed_ms],
  );
  await Promise.all(Array.from({ length: limits.delayed_events }, (_, i) => ask(60_000, `many${i}`)));
  const tooMany = await ask(60_000, "one more");
  assert.equal(tooMany.body["org.matrix.msc4140.errcode"], "M_MAX_DELAYED_EVENTS_EXCEEDED");
});

test("clients are told that there are delayed events, and whoever is not signed in gets no list", async () => {
  const versions = await request(server.url, "GET", "/_matrix/client/versions");
  assert.equal(versions.body.unstable_features["org.matrix.msc4140"], true);
  assert.equal((await request(server.url, "GET", DELAYED)).status, 401);
});
