import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, registerPerson, request } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { createRoom, type TestRoom } from "../../../testkit/src/room.ts";
import { startTestServer } from "../../../testkit/src/server.ts";

const CLIENT = "/_matrix/client/v3";
const PUBLIC = `${CLIENT}/publicRooms`;
const { server, alice } = await startNeighbours(["alice"], { config: { roles: ["auth", "messages"] } });
const people = await Promise.all(["bob", "carol", "dora"].map((name) => registerPerson(server.url, name)));

const publicRoom = (options: object) => createRoom(alice, { visibility: "public", ...options });
const listPath = ({ id }: TestRoom) => `${CLIENT}/directory/list/room/${encodeURIComponent(id)}`;

async function search(term: string, more: object = {}): Promise<Json> {
  return alice.call("POST", PUBLIC, { filter: { generic_search_term: term }, ...more });
}

const idsOf = ({ chunk }: Json): string[] => chunk.map((room: Json) => room.room_id);

/** Asks until the directory shows what it should: it follows a moment behind. */
async function shows(ask: () => Promise<unknown>, expected: unknown): Promise<void> {
  const end = Date.now() + 5_000;
  for (;;) {
    const is = await ask();
    try {
      assert.deepEqual(is, expected);
      return;
    } catch (thrown) {
      if (Date.now() > end) throw thrown;
    }
  }
}

test("a published room is listed with all that the directory tells of it", async () => {
  const state = [
    { type: "m.room.avatar", content: { url: "mxc://localhost/avatar" } },
    { type: "m.room.history_visibility", content: { history_visibility: "world_readable" } },
  ];
  const options = { name: "Kräutergarten", topic: "Basil", room_alias_name: "herbs", initial_state: state };
  const room = await publicRoom({ ...options, creation_content: { type: "org.example.garden" } });
  const { chunk } = await search("basil");
  assert.deepEqual(chunk, [
    {
      room_id: room.id,
      name: "Kräutergarten",
      topic: "Basil",
      canonical_alias: "#herbs:localhost",
      avatar_url: "mxc://localhost/avatar",
      room_type: "org.example.garden",
      join_rule: "public",
      world_readable: true,
      guest_can_join: false,
      num_joined_members: 1,
    },
  ]);
});

test("a room is listed only while it is published, and only who has the power says so", async () => {
  const room = await createRoom(alice, { name: "on and off" });
  const isListed = async () => idsOf(await search("on and off")).includes(room.id);
  const visibility = async () => (await request(server.url, "GET", listPath(room))).body.visibility;
  assert.deepEqual([await isListed(), await visibility()], [false, "private"]);
  await alice.call("PUT", listPath(room), {});
  assert.deepEqual([await isListed(), await visibility()], [true, "public"]);
  const [bob] = people as [Person];
  await room.change(bob, "join");
  assert.equal((await bob.ask("PUT", listPath(room), { visibility: "private" })).status, 403);
  await room.set(alice, "m.room.power_levels", { users: { [bob.userId]: 50 } });
  await bob.call("PUT", listPath(room), { visibility: "private" });
  assert.deepEqual([await isListed(), await visibility()], [false, "private"]);
  await room.change(alice, "leave");
  assert.equal((await alice.ask("PUT", listPath(room), {})).status, 403);
  const nowhere = listPath({ ...room, id: `!${"x".repeat(43)}` });
  assert.equal((await request(server.url, "GET", nowhere)).status, 404);
  assert.equal((await alice.ask("PUT", nowhere, {})).status, 404);
});

test("an administrator of the server publishes rooms that they are not in", async () => {
  const room = await createRoom(alice, { name: "found by the administrator" });
  const admin = await registerPerson(server.url, "admin");
  assert.equal((await admin.ask("PUT", listPath(room), {})).status, 403);
  await server.ctx.db.auth.change("update auth.accounts set is_admin = true where user_id = $1", [admin.userId]);
  await admin.call("PUT", listPath(room), {});
  assert.deepEqual(idsOf(await search("by the administrator")), [room.id]);
});

test("the directory follows what happens in its rooms", async () => {
  const room = await publicRoom({ name: "before the change" });
  const found = (term: string) => async () => idsOf(await search(term));
  const name = await room.set(alice, "m.room.name", { name: "after it" });
  await shows(found("after it"), [room.id]);
  assert.deepEqual(idsOf(await search("before the change")), []);
  await room.redact(alice, name);
  await shows(found("after it"), []);
  await room.set(alice, "m.room.topic", { topic: "*", "m.topic": { "m.text": [{ body: "plain words" }] } });
  await shows(found("plain words"), [room.id]);
  const count = async () => (await search("plain words")).chunk[0]?.num_joined_members;
  for (const each of people) await room.change(each, "join");
  await shows(count, 4);
  await room.change(people[0] as Person, "leave");
  await shows(count, 3);
  for (const each of [alice, ...people.slice(1)]) await room.change(each, "leave");
  await shows(found("plain words"), []);
});

test("what changed last before a process ended is found out at the next start", async () => {
  await using first = await startTestServer({ config: { roles: ["auth", "messages"] } });
  const anna = await registerPerson(first.url, "anna");
  const room = await createRoom(anna, { visibility: "public", name: "as it is" });
  await first.halt();
  await using next = await startTestServer({ config: { roles: ["auth"] }, databaseUrl: first.databaseUrl });
  // What a process leaves that ends before it has written the newest name.
  const left = "update rooms.published set words = 'as it was', as_of = as_of - 1 where room_id = $1";
  await next.ctx.db.rooms.change(left, [room.id]);
  await using _last = await startTestServer({
    config: { roles: ["auth", "messages"] },
    databaseUrl: first.databaseUrl,
  });
  const words = async () =>
    (await next.ctx.db.rooms.one<{ words: string }>("select words from rooms.published where room_id = $1", [room.id]))
      ?.words;
  await shows(async () => /as it is/.test((await words()) ?? ""), true);
});

test("a search goes by name, topic and alias, without regard to case and accents, and takes nothing for a pattern", async () => {
  const room = await publicRoom({ name: "Über % uns", topic: "Café_au_lait", room_alias_name: "zz-unique" });
  for (const term of ["über", "UBER", "uns", "CAFE_", "% u", "zz-uni", "#zz-unique:localhost"])
    assert.deepEqual(idsOf(await search(term)), [room.id], term);
  for (const term of ["a_é", "%%", "u%s", "localhost zz"]) assert.deepEqual(idsOf(await search(term)), [], term);
});

test("rooms are found by their type, those without one by null", async () => {
  const topic = "typed room";
  const plain = await publicRoom({ topic });
  const space = await publicRoom({ topic, creation_content: { type: "m.space" } });
  const other = await publicRoom({ topic, creation_content: { type: "org.example.other" } });
  const ofTypes = async (room_types: unknown) => {
    const filter = { generic_search_term: topic, room_types };
    return idsOf(await alice.call("POST", PUBLIC, { filter })).toSorted();
  };
  const sorted = (...rooms: TestRoom[]) => rooms.map(({ id }) => id).toSorted();
  assert.deepEqual(await ofTypes(undefined), sorted(plain, space, other));
  assert.deepEqual(await ofTypes(["m.space"]), sorted(space));
  assert.deepEqual(await ofTypes([null]), sorted(plain));
  assert.deepEqual(await ofTypes([null, "org.example.other"]), sorted(plain, other));
  assert.deepEqual(await ofTypes([]), []);
});

test("the largest come first, and pages lead through all of them, there and back", async () => {
  const topic = "one of many";
  const rooms = await Promise.all(Array.from({ length: 11 }, () => publicRoom({ topic })));
  for (const [i, room] of rooms.entries()) for (const each of people.slice(0, i % 4)) await room.change(each, "join");
  await shows(
    async () => (await search(topic)).chunk.map((room: Json) => room.num_joined_members),
    [4, 4, 3, 3, 3, 2, 2, 2, 1, 1, 1],
  );
  const all = idsOf(await search(topic));
  const there: string[] = [];
  let page = await search(topic, { limit: 3 });
  assert.equal(page.prev_batch, undefined);
  there.push(...idsOf(page));
  while (page.next_batch) {
    page = await search(topic, { limit: 3, since: page.next_batch });
    there.push(...idsOf(page));
  }
  assert.deepEqual(there, all);
  const back: string[] = idsOf(page);
  while (page.prev_batch) {
    page = await search(topic, { limit: 3, since: page.prev_batch });
    back.unshift(...idsOf(page));
  }
  assert.deepEqual(back, all);
  const next = await search(topic, { limit: 3, since: page.next_batch });
  assert.deepEqual(idsOf(next), all.slice(3, 6));
});

test("anyone may look at the directory, with a limit and without an account", async () => {
  await publicRoom({});
  await publicRoom({});
  const first = await request(server.url, "GET", `${PUBLIC}?limit=1`);
  assert.equal(first.status, 200);
  assert.equal(first.body.chunk.length, 1);
  assert.ok(first.body.total_room_count_estimate >= 2);
  const second = await request(server.url, "GET", `${PUBLIC}?limit=1&since=${first.body.next_batch}`);
  assert.notDeepEqual(idsOf(second.body), idsOf(first.body));
  assert.equal((await request(server.url, "POST", PUBLIC, { body: {} })).status, 401);
});

test("other servers and networks have no rooms here, and other tokens lead nowhere", async () => {
  assert.deepEqual((await alice.call("POST", PUBLIC, { third_party_instance_id: "irc" })).chunk, []);
  assert.equal((await request(server.url, "GET", `${PUBLIC}?server=localhost`)).status, 200);
  assert.equal((await request(server.url, "GET", `${PUBLIC}?server=elsewhere.org`)).status, 404);
  const token = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  for (const since of [
    "x",
    token({}),
    token(["after", 1e12, "!x"]),
    token(["after", 1, "\0"]),
    token(["behind", 1, "!x"]),
  ]) {
    const { status, body } = await alice.ask("POST", PUBLIC, { since });
    assert.deepEqual([status, body.errcode], [400, "M_INVALID_PARAM"], since);
  }
});

test("the room that takes the place of a published one is published in its place", async () => {
  const room = await publicRoom({ name: "in succession", room_version: "11" });
  const { replacement_room } = await alice.call("POST", `${room.path}/upgrade`, { new_version: "12" });
  assert.deepEqual(idsOf(await search("in succession")), [replacement_room]);
});
