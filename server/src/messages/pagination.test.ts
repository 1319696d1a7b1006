import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json, Person } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { createRoom, type Query, type TestRoom } from "../../../testkit/src/room.ts";
import { limits } from "../limits.ts";

const EVENTS = 3_000;
const joinedOnly = { type: "m.room.history_visibility", content: { history_visibility: "joined" } };
const { server, alice, bob } = await startNeighbours(["alice", "bob"], {
  config: { roles: ["auth", "messages", "gateway"] },
});
/** A long room, in the middle of which bob joined. */
const room = await createRoom(alice, { preset: "private_chat", initial_state: [joinedOnly] });
const other = await createRoom(alice);
await fill(EVENTS / 2, other);
await room.change(alice, "invite", bob);
await room.change(bob, "join");
await fill(EVENTS / 2, other);
/** The ids of all its events, in the order of the log. */
let all = await idsInLog(room);

/** Many messages, among those of another room. */
async function fill(count: number, other: TestRoom): Promise<void> {
  for (let i = 0; i < count; i += 50) {
    const turns = Array.from({ length: 50 }, (_, n) => room.say(alice, `message ${i + n}`));
    await Promise.all([...turns, other.say(alice, "elsewhere")]);
  }
}

async function idsInLog({ id }: TestRoom): Promise<string[]> {
  const rows = await server.ctx.db.log.query<{ event_id: string }>(
    "select event_id from log.entries where room_id = $1 and kind = 'event' order by position",
    [id],
  );
  return rows.map((row) => row.event_id);
}

const idsOf = (events: readonly Json[]): string[] => events.map((event) => event.event_id);

/** All events from a token on, page by page, each page of another size. */
async function readAll(who: Person, query: Query): Promise<{ ids: string[]; pages: number }> {
  const ids: string[] = [];
  let from = query["from"];
  for (let pages = 1; ; pages++) {
    const limit = query["limit"] ?? ((pages * 37) % 211) + 1;
    const page = await room.read(who, "messages", { ...query, from, limit });
    assert.ok(page.chunk.length <= limit);
    if (from !== undefined) assert.equal(page.start, from);
    ids.push(...idsOf(page.chunk));
    if (page.end === undefined) return { ids, pages };
    assert.notEqual(page.end, from, "a page leads on");
    from = page.end;
  }
}

test("backwards, page after page, everything comes once and in order", async () => {
  const { ids } = await readAll(alice, { dir: "b" });
  assert.deepEqual(ids, all.toReversed());
});

test("forwards, page after page, everything comes once and in order", async () => {
  const { ids } = await readAll(alice, { dir: "f" });
  assert.deepEqual(ids, all);
});

test("what is sent while somebody reads back disturbs no page", async () => {
  const reading = readAll(alice, { dir: "b", limit: 100 });
  const sending = Promise.all(Array.from({ length: 50 }, () => room.say(alice, "meanwhile")));
  const [{ ids }] = await Promise.all([reading, sending]);
  assert.deepEqual(ids.slice(-all.length), all.toReversed());
  assert.equal(new Set(ids).size, ids.length);
  all = await idsInLog(room);
});

test("a page that ends with the last event says that there is no more", async () => {
  const page = await room.read(alice, "messages", { dir: "f", limit: 5 });
  const rest = await room.read(alice, "messages", { dir: "b", limit: 5, from: page.end });
  assert.deepEqual(idsOf(rest.chunk), idsOf(page.chunk).toReversed());
  assert.equal(rest.end, undefined);
});

test("forwards, what is said next comes from the end of the newest page; an empty page has none", async () => {
  const quiet = await createRoom(alice);
  await quiet.change(bob, "join");
  const page = await quiet.read(alice, "messages", { dir: "f", limit: 100 });
  const read = () => quiet.read(alice, "messages", { dir: "f", from: page.end });
  const { chunk, end } = await read();
  assert.deepEqual([chunk, end], [[], undefined]);
  const next = await quiet.say(alice, "next");
  assert.deepEqual(idsOf((await read()).chunk), [next]);
  await quiet.change(bob, "leave");
  assert.equal((await quiet.read(bob, "messages", { dir: "f", limit: 100 })).end, undefined, "who left sees no more");
});

test("`to` ends the pages: backwards just behind it, forwards with it", async () => {
  const first = await room.read(alice, "messages", { dir: "f", limit: 10 });
  const second = await room.read(alice, "messages", { dir: "f", limit: 10, from: first.end });
  const back = await readAll(alice, { dir: "b", from: second.end, to: first.end });
  assert.deepEqual(back.ids, idsOf(second.chunk).toReversed());
  const forth = await readAll(alice, { dir: "f", from: first.end, to: second.end });
  assert.deepEqual(forth.ids, idsOf(second.chunk));
});

test("from prev_batch of a sync, reading back goes on where the timeline began", async () => {
  const sync = await alice.call("GET", "/_matrix/client/v3/sync");
  const { events, prev_batch, limited } = sync.rooms.join[room.id].timeline;
  assert.equal(limited, true);
  const { ids } = await readAll(alice, { dir: "b", from: prev_batch });
  assert.deepEqual([...ids.toReversed(), ...idsOf(events)], all);
});

test("who joined late reads on from their first event, and meets no empty pages on the way there", async () => {
  // What was there before the history was closed had been open to all who would join.
  const closing = all.indexOf(await stateEvent("m.room.history_visibility", "joined")) + 1;
  const joining = all.indexOf(await stateEvent("m.room.member", "join", bob.userId));
  const visible = [...all.slice(0, closing), ...all.slice(joining)];
  const forth = await readAll(bob, { dir: "f", limit: 200 });
  assert.deepEqual(forth.ids, visible);
  // The last one is empty, and says that there is nothing new yet.
  assert.equal(forth.pages, Math.ceil(visible.length / 200) + 1);
  const back = await readAll(bob, { dir: "b", limit: 200 });
  assert.deepEqual(back.ids, visible.toReversed());
  assert.equal(back.pages, forth.pages - 1);
});

async function stateEvent(type: string, value: string, stateKey = ""): Promise<string> {
  const rows = await server.ctx.db.log.query<{ event_id: string; body: string }>(
    "select event_id, body from log.entries where room_id = $1 and type = $2 and state_key = $3",
    [room.id, type, stateKey],
  );
  return rows.find(({ body }) => body.includes(`":"${value}"`))?.event_id ?? "";
}

test("with a filter that leaves little in, the pages still lead to all of it", async () => {
  const filter = { types: ["m.room.member", "m.room.create"] };
  const members = await server.ctx.db.log.query<{ event_id: string }>(
    "select event_id from log.entries where room_id = $1 and type = any($2) order by position",
    [room.id, filter.types],
  );
  for (const dir of ["b", "f"]) {
    const { ids } = await readAll(alice, { dir, filter, limit: 2 });
    assert.deepEqual(dir === "b" ? ids.toReversed() : ids, idsOf(members));
  }
});

test("for one page a bounded number of events is looked at, however few of them are wanted", async () => {
  const long = await createRoom(alice);
  const last = await appendMany(long, limits.pageScan_events + 1_000);
  const filter = { types: ["org.example.last"] };
  const first = await long.read(alice, "messages", { dir: "f", filter });
  assert.deepEqual(first.chunk, []);
  const second = await long.read(alice, "messages", { dir: "f", filter, from: first.end });
  assert.deepEqual(idsOf(second.chunk), [last]);
  const { chunk } = await long.read(alice, "messages", { dir: "f", filter, from: second.end });
  assert.deepEqual(chunk, []);
});

test("however much is hidden from somebody, the first page has what they may see", async () => {
  const long = await createRoom(alice, { initial_state: [joinedOnly] });
  await appendMany(long, limits.pageScan_events + 1_000);
  await long.change(bob, "join");
  const last = await long.say(alice, "for bob");
  const { chunk, end: from } = await long.read(bob, "messages", { dir: "f", limit: 100 });
  assert.equal(chunk.at(-1).event_id, last);
  assert.deepEqual((await long.read(bob, "messages", { dir: "f", from })).chunk, []);
});

/** Events right into the log; the last one is of the type org.example.last, and its id comes back. */
async function appendMany({ id: room }: TestRoom, count: number): Promise<string> {
  const entries = Array.from({ length: count }, (_, i) => {
    const event_id = `$${room.slice(1, 20)}${i}`;
    const type = i === count - 1 ? "org.example.last" : "org.example.many";
    const body = JSON.stringify({ content: {}, event_id, origin_server_ts: 1, sender: alice.userId, type });
    return { kind: "event" as const, room, user: alice.userId, event_id, type, ts: 1, body };
  });
  for (let i = 0; i < count; i += 200) await server.ctx.log.append({ lane: room, entries: entries.slice(i, i + 200) });
  return entries.at(-1)?.event_id ?? "";
}

test("a limit of nothing gives nothing, and the same place to go on from", async () => {
  const page = await room.read(alice, "messages", { dir: "f", limit: 0 });
  assert.deepEqual(page.chunk, []);
  const { ids } = await readAll(alice, { dir: "f", from: page.end, limit: 1_000 });
  assert.deepEqual(ids, all);
});

test("no page is longer than a page, whatever is asked for", async () => {
  const { chunk } = await room.read(alice, "messages", { dir: "b", limit: 1_000_000 });
  assert.equal(chunk.length, 1_000);
});

test("tokens that this server did not give out, and of another history, are refused", async () => {
  const refused = async (query: Query) => {
    const { status, body } = await room.ask(alice, "messages", query);
    assert.deepEqual([status, body.errcode], [400, "M_INVALID_PARAM"], JSON.stringify(query));
  };
  for (const from of ["x", "s1", "s1_-1", "t1_1", "s1_99999999999999999999"]) await refused({ dir: "b", from });
  await refused({ dir: "b", from: `s${server.ctx.log.epoch + 1}_5` });
  await refused({ dir: "b", to: "x" });
  await refused({ dir: "sideways" });
  await refused({ dir: "b", limit: "many" });
  await refused({ dir: "b", filter: "{" });
  await refused({ dir: "b", filter: { types: "m.room.message" } });
  assert.equal((await room.ask(alice, "messages")).status, 400);
});
