import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, request } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { createRoom, type Query, type TestRoom } from "../../../testkit/src/room.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { type Child, compareChildren } from "./space-children.ts";

const CLIENT = "/_matrix/client/v3";
const { server, alice, bob } = await startNeighbours(["alice", "bob"], { config: { roles: ["auth", "messages"] } });

const newSpace = (options: object = {}) => createRoom(alice, { creation_content: { type: "m.space" }, ...options });

const put = (space: TestRoom, { id }: { id: string }, content: object = {}) =>
  space.set(alice, `m.space.child/${id}`, { via: ["localhost"], ...content });

async function list(space: TestRoom, query: Query = {}, who: Person = bob): Promise<string[]> {
  return (await space.read(who, "hierarchy", query)).rooms.map((room: Json) => room.room_id);
}

const idsOf = (...rooms: TestRoom[]): string[] => rooms.map(({ id }) => id);

/** A space with a room, a space with two rooms, and another room, in this order. */
async function grow() {
  const [top, inner] = [await newSpace({ name: "top" }), await newSpace({ name: "inner" })];
  const rooms = await Promise.all(Array.from({ length: 4 }, () => createRoom(alice)));
  const [first, second, third, last] = rooms as [TestRoom, TestRoom, TestRoom, TestRoom];
  await put(top, first, { order: "a" });
  await put(top, inner, { order: "b", suggested: true });
  await put(top, last, { order: "c" });
  await put(inner, second, { order: "a" });
  await put(inner, third, { order: "b", suggested: true });
  return { top, inner, first, second, third, last };
}

test("a space comes with its rooms, depth first, in the order of its children", async () => {
  const { top, inner, first, second, third, last } = await grow();
  assert.deepEqual(await list(top), idsOf(top, first, inner, second, third, last));
});

test("a room comes with its summary and with the events that make its children", async () => {
  const { top, first, inner, last } = await grow();
  await first.change(bob, "join");
  await first.set(alice, "m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" });
  const { rooms } = await top.read(bob, "hierarchy");
  assert.deepEqual(rooms[1], {
    room_id: first.id,
    world_readable: false,
    guest_can_join: false,
    join_rule: "public",
    num_joined_members: 2,
    room_version: "12",
    encryption: "m.megolm.v1.aes-sha2",
    children_state: [],
  });
  assert.equal(rooms[0].room_type, "m.space");
  assert.deepEqual(
    rooms[0].children_state.map((event: Json) => event.state_key),
    idsOf(first, inner, last),
  );
  const [child] = rooms[0].children_state;
  assert.deepEqual(Object.keys(child).toSorted(), ["content", "origin_server_ts", "sender", "state_key", "type"]);
});

test("max_depth is the number of levels below the space; its children are named all the same", async () => {
  const { top, inner, first, last } = await grow();
  assert.deepEqual(await list(top, { max_depth: 0 }), idsOf(top));
  assert.deepEqual(await list(top, { max_depth: 1 }), idsOf(top, first, inner, last));
  const { rooms } = await top.read(bob, "hierarchy", { max_depth: 1 });
  assert.equal(rooms[2].children_state.length, 2);
});

test("with suggested_only, only what is suggested is looked at", async () => {
  const { top, inner, third } = await grow();
  assert.deepEqual(await list(top, { suggested_only: true }), idsOf(top, inner, third));
});

test("page after page, each room comes once, and the next page may be asked of another process", async () => {
  const { top, ...rooms } = await grow();
  const all = await list(top);
  await using other = await startTestServer({
    config: { roles: ["auth", "messages"] },
    databaseUrl: server.databaseUrl,
  });
  for (const limit of [1, 2, 4]) {
    const paged: string[] = [];
    let from: string | undefined;
    for (let i = 0; i === 0 || from !== undefined; i++) {
      const url = i % 2 === 0 ? server.url : other.url;
      const query = new URLSearchParams({ limit: String(limit), ...(from && { from }) });
      const { body: page } = await request(url, "GET", `${top.pathV1}/hierarchy?${query}`, { token: bob.token });
      assert.ok(page.rooms.length <= limit);
      paged.push(...page.rooms.map((room: Json) => room.room_id));
      from = page.next_batch;
    }
    assert.deepEqual(paged, all);
  }
  assert.equal(all.length, 1 + Object.keys(rooms).length);
});

test("what comes or goes between two pages shifts nothing", async () => {
  const { top, inner, first, second, third, last } = await grow();
  const page = await top.read(bob, "hierarchy", { limit: 3 });
  const early = await createRoom(alice);
  await put(top, early, { order: "A" });
  assert.deepEqual(await list(top, { limit: 2, from: page.next_batch }), idsOf(second, third));
  await top.set(alice, `m.space.child/${first.id}`, {});
  assert.deepEqual(await list(top, { from: page.next_batch }), idsOf(second, third, last));
  assert.deepEqual(await list(top), idsOf(top, early, inner, second, third, last));
});

test("a token goes with what was asked for first", async () => {
  const { top } = await grow();
  const { next_batch: from } = await top.read(bob, "hierarchy", { limit: 1, max_depth: 2 });
  for (const query of [{ from }, { from, max_depth: 1 }, { from, max_depth: 2, suggested_only: true }, { from: "x" }]) {
    const { status, body } = await top.ask(bob, "hierarchy", query);
    assert.deepEqual([status, body.errcode], [400, "M_INVALID_PARAM"], JSON.stringify(query));
  }
  for (const query of [{ limit: 0 }, { limit: -1 }, { max_depth: -1 }])
    assert.equal((await top.ask(bob, "hierarchy", query)).status, 400);
});

test("spaces that hold each other end, and a room in several of them comes once", async () => {
  const { top, inner, first } = await grow();
  await put(inner, top, { order: "z" });
  await put(inner, inner, { order: "y" });
  await put(inner, first, { order: "x" });
  const rooms = await list(top);
  assert.equal(new Set(rooms).size, rooms.length);
  assert.equal(rooms.length, 6);
});

test("a room that stands deep and high is opened from high", async () => {
  const spaces = await Promise.all(Array.from({ length: 3 }, () => newSpace()));
  const [top, middle, deep] = spaces as [TestRoom, TestRoom, TestRoom];
  const leaf = await createRoom(alice);
  await put(top, middle, { order: "a" });
  await put(middle, deep);
  await put(top, deep, { order: "b" });
  await put(deep, leaf);
  assert.deepEqual(await list(top, { max_depth: 2 }), idsOf(top, middle, deep, leaf));
});

test("what was taken out, is no room, or is not there, is no child", async () => {
  const [top, room] = [await newSpace(), await createRoom(alice)];
  await put(top, room);
  await put(top, { id: `!${"x".repeat(43)}` });
  await put(top, { id: "nonsense" });
  for (const via of [[], "localhost", [1], undefined]) {
    const other = await createRoom(alice);
    await put(top, other, { via });
  }
  assert.deepEqual(await list(top), idsOf(top, room));
});

test("the children of a room that is no space are none", async () => {
  const [room, other] = [await createRoom(alice), await createRoom(alice)];
  await put(room, other);
  const { rooms } = await room.read(bob, "hierarchy");
  assert.deepEqual([rooms.length, rooms[0].children_state], [1, []]);
});

const joinRules = (content: object) => ({
  preset: "private_chat",
  initial_state: [{ type: "m.room.join_rules", content }],
});

test("a room is shown to those who are in it, are invited, may join or knock, or may read it", async () => {
  const top = await newSpace();
  const inSpace = await newSpace(joinRules({ join_rule: "invite" }));
  await inSpace.change(alice, "invite", bob);
  await inSpace.change(bob, "join");
  const allow = [{ type: "m.room_membership", room_id: inSpace.id }];
  const elsewhere = [{ type: "m.room_membership", room_id: `!${"x".repeat(43)}` }];
  const history = { type: "m.room.history_visibility", content: { history_visibility: "world_readable" } };
  const shown = {
    public: await createRoom(alice),
    knock: await createRoom(alice, joinRules({ join_rule: "knock" })),
    knockRestricted: await createRoom(alice, joinRules({ join_rule: "knock_restricted", allow: elsewhere })),
    restricted: await createRoom(alice, joinRules({ join_rule: "restricted", allow })),
    readable: await createRoom(alice, { preset: "private_chat", initial_state: [history] }),
    invited: await createRoom(alice, { preset: "private_chat", invite: [bob.userId] }),
    joined: inSpace,
  };
  const left = await createRoom(alice, { preset: "private_chat", invite: [bob.userId] });
  await left.change(bob, "join");
  await left.change(bob, "leave");
  const banned = await createRoom(alice);
  await banned.change(alice, "ban", bob);
  const hidden = {
    private: await createRoom(alice, { preset: "private_chat" }),
    restricted: await createRoom(alice, joinRules({ join_rule: "restricted", allow: elsewhere })),
    left,
    banned,
  };
  for (const room of [...Object.values(shown), ...Object.values(hidden)]) await put(top, room);
  const found = new Set(await list(top));
  const namesOf = (rooms: Record<string, TestRoom>) =>
    Object.keys(rooms).filter((name) => found.has((rooms[name] as TestRoom).id));
  assert.deepEqual(namesOf(shown), Object.keys(shown));
  assert.deepEqual(namesOf(hidden), []);
  for (const room of Object.values(hidden)) {
    const { status, body } = await room.ask(bob, "hierarchy");
    assert.deepEqual([status, body.errcode], [403, "M_FORBIDDEN"]);
    const summary = await bob.ask("GET", `/_matrix/client/v1/room_summary/${encodeURIComponent(room.id)}`);
    assert.deepEqual([summary.status, summary.body.errcode], [404, "M_NOT_FOUND"]);
  }
});

test("what is below a space that one may not know of does not show", async () => {
  const [top, secret] = [await newSpace(), await newSpace({ preset: "private_chat" })];
  await put(top, secret);
  await put(secret, await createRoom(alice));
  assert.deepEqual(await list(top), idsOf(top));
  assert.equal((await list(top, {}, alice)).length, 3);
});

test("children are in the order of the specification's example", () => {
  const child = (roomId: string, origin_server_ts: number, order?: unknown): Child => ({
    roomId,
    event: { type: "m.space.child", state_key: roomId, sender: "@a:b", origin_server_ts, content: { order } },
  });
  const expected = [
    child("!b:example.org", 1640341000000, " "),
    child("!a:example.org", 1640141000000, "aaaa"),
    child("!c:example.org", 1640841000000, "first"),
    child("!e:example.org", 1640641000000),
    child("!d:example.org", 1640741000000, "x".repeat(51)),
    child("!f:example.org", 1640741000000, 5),
  ];
  assert.deepEqual([...expected].toReversed().toSorted(compareChildren), expected);
});

test("a room's summary is told by its id and by its alias, with one's own membership", async () => {
  const room = await createRoom(alice, { room_alias_name: "summary", name: "Summary", room_version: "11" });
  const read = (who: Person, id: string) =>
    who.call("GET", `/_matrix/client/v1/room_summary/${encodeURIComponent(id)}`);
  const expected = {
    room_id: room.id,
    name: "Summary",
    canonical_alias: "#summary:localhost",
    world_readable: false,
    guest_can_join: false,
    join_rule: "public",
    num_joined_members: 1,
    room_version: "11",
  };
  assert.deepEqual(await read(bob, room.id), { ...expected, membership: "leave" });
  assert.deepEqual(await read(alice, "#summary:localhost"), { ...expected, membership: "join" });
  const nowhere = await bob.ask("GET", `/_matrix/client/v1/room_summary/${encodeURIComponent("#nowhere:localhost")}`);
  assert.equal(nowhere.status, 404);
  await bob.call("POST", `${CLIENT}/join/${encodeURIComponent(room.id)}`, {});
  assert.equal((await read(bob, room.id)).membership, "join");
});
