import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json, Person } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";

const CLIENT = "/_matrix/client/v3";
const { server, alice, bob, carol } = await startNeighbours(["alice", "bob", "carol"], {
  config: { roles: ["auth", "messages"] },
});

const pathOf = (roomId: string) => `${CLIENT}/rooms/${encodeURIComponent(roomId)}`;

/** A room of alice's, with bob in it and carol kept out of it. */
async function newRoom(options: object): Promise<string> {
  const { room_id } = await alice.call("POST", `${CLIENT}/createRoom`, { preset: "public_chat", ...options });
  await bob.call("POST", `${pathOf(room_id)}/join`, {});
  await alice.call("POST", `${pathOf(room_id)}/ban`, { user_id: carol.userId });
  return room_id as string;
}

const state = (roomId: string, type: string): Promise<Json> => alice.call("GET", `${pathOf(roomId)}/state/${type}`);

test("a replaced room points to its replacement, which is like it and points back", async () => {
  const old = await newRoom({ room_version: "11", name: "Kitchen", creation_content: { type: "m.space" } });
  const levels = await state(old, "m.room.power_levels");
  await alice.call("PUT", `${pathOf(old)}/state/m.room.power_levels/`, {
    ...levels,
    users: { ...levels.users, [bob.userId]: 50 },
  });
  const answer = await alice.call("POST", `${pathOf(old)}/upgrade`, { new_version: "12" });
  const replacement = answer.replacement_room as string;
  const tombstone = await state(old, "m.room.tombstone?format=event");
  assert.equal(tombstone.content.replacement_room, replacement);
  const create = await state(replacement, "m.room.create");
  assert.deepEqual(create, { room_version: "12", type: "m.space", predecessor: { room_id: old } });
  assert.equal((await state(replacement, "m.room.name")).name, "Kitchen");
  assert.equal((await state(replacement, "m.room.join_rules")).join_rule, "public");
  assert.deepEqual((await state(replacement, "m.room.power_levels")).users, { [bob.userId]: 50 });
  assert.equal((await carol.ask("POST", `${pathOf(replacement)}/join`, {})).status, 403);
  await bob.call("POST", `${pathOf(replacement)}/join`, {});
});

test("ordinary members talk no more in a room that was replaced", async () => {
  const old = await newRoom({});
  await bob.call("PUT", `${pathOf(old)}/send/m.room.message/before`, {});
  await alice.call("POST", `${pathOf(old)}/upgrade`, { new_version: "12" });
  assert.equal((await bob.ask("PUT", `${pathOf(old)}/send/m.room.message/after`, {})).status, 403);
});

test("creators get the highest level where there is no power beyond levels, and nobody else has it", async () => {
  const old = await newRoom({ creation_content: { additional_creators: [bob.userId] } });
  const highest = Number.MAX_SAFE_INTEGER;
  const levels = await state(old, "m.room.power_levels");
  const users = { [carol.userId]: highest };
  await alice.call("PUT", `${pathOf(old)}/state/m.room.power_levels/`, { ...levels, users });
  const { replacement_room } = await bob.call("POST", `${pathOf(old)}/upgrade`, { new_version: "11" });
  await alice.call("POST", `${pathOf(replacement_room)}/join`, {});
  const carried = await state(replacement_room, "m.room.power_levels");
  assert.deepEqual(carried.users, { [alice.userId]: highest, [bob.userId]: highest, [carol.userId]: highest - 1 });
  const create = await state(replacement_room, "m.room.create");
  const tombstone = await state(old, "m.room.tombstone?format=event");
  assert.deepEqual(create.predecessor, { room_id: old, event_id: tombstone.event_id });
});

test("levels go along as they are, above those of the person who replaces the room too", async () => {
  const old = await newRoom({ room_version: "11" });
  const levels = await state(old, "m.room.power_levels");
  const changed = { ...levels, users: { [alice.userId]: 100, [bob.userId]: 80 }, events: { "m.room.tombstone": 60 } };
  await alice.call("PUT", `${pathOf(old)}/state/m.room.power_levels/`, changed);
  const { replacement_room } = await bob.call("POST", `${pathOf(old)}/upgrade`, { new_version: "11" });
  await alice.call("POST", `${pathOf(replacement_room)}/join`, {});
  assert.deepEqual(await state(replacement_room, "m.room.power_levels"), changed);
});

test("a room can not take its own place", async () => {
  const old = await newRoom({});
  for (const path of ["state/m.room.tombstone", "send/m.room.tombstone/1"]) {
    const { status, body } = await alice.ask("PUT", `${pathOf(old)}/${path}`, { body: "x", replacement_room: old });
    assert.deepEqual([status, body.errcode], [400, "M_INVALID_PARAM"], path);
  }
});

test("aliases lead to the new room, and the old one calls itself by none", async () => {
  const old = await newRoom({ room_alias_name: "moving" });
  const { replacement_room } = await alice.call("POST", `${pathOf(old)}/upgrade`, { new_version: "12" });
  assert.deepEqual(await state(old, "m.room.canonical_alias"), {});
  assert.deepEqual(await state(replacement_room, "m.room.canonical_alias"), { alias: "#moving:localhost" });
  const directory = `${CLIENT}/directory/room/${encodeURIComponent("#moving:localhost")}`;
  assert.equal((await alice.call("GET", directory)).room_id, replacement_room);
});

for (const how of ["by its server", "by hand"])
  test(`tags, push rules and direct chats go along with each person into a room that is replaced ${how}`, async () => {
    const old = await newRoom({ room_version: "10" });
    for (const who of [alice, bob]) {
      const account = `${CLIENT}/user/${who.userId}`;
      await who.call("PUT", `${account}/rooms/${old}/tags/m.favourite`, { order: 0.5 });
      await who.call("PUT", `${account}/account_data/m.direct`, { "@x:y": [old], "@z:y": ["!other:y"] });
      await who.call("PUT", `${CLIENT}/pushrules/global/room/${old}`, { actions: [] });
    }
    const replacement = how === "by hand" ? await replaceByHand(old) : await replaceByServer(old);
    await bob.call("POST", `${pathOf(replacement)}/join`, {});
    for (const who of [alice, bob]) {
      const account = `${CLIENT}/user/${who.userId}`;
      const { tags } = await who.call("GET", `${account}/rooms/${replacement}/tags`);
      assert.deepEqual(tags, { "m.favourite": { order: 0.5 } });
      const direct = await who.call("GET", `${account}/account_data/m.direct`);
      assert.deepEqual(direct, { "@x:y": [old, replacement], "@z:y": ["!other:y"] });
      const rule = await who.call("GET", `${CLIENT}/pushrules/global/room/${replacement}`);
      assert.deepEqual(rule.actions, []);
    }
  });

async function replaceByServer(old: string): Promise<string> {
  const { replacement_room } = await alice.call("POST", `${pathOf(old)}/upgrade`, { new_version: "11" });
  return replacement_room as string;
}

async function replaceByHand(old: string): Promise<string> {
  const creation_content = { predecessor: { room_id: old } };
  const { room_id } = await alice.call("POST", `${CLIENT}/createRoom`, { preset: "public_chat", creation_content });
  const content = { body: "replaced", replacement_room: room_id };
  await alice.call("PUT", `${pathOf(old)}/state/m.room.tombstone`, content);
  return room_id as string;
}

test("a room is replaced by those who may end it, and by a version that is known", async () => {
  const old = await newRoom({});
  const upgrade = async (who: Person, new_version: string) => {
    const { status, body } = await who.ask("POST", `${pathOf(old)}/upgrade`, { new_version });
    return [status, body.errcode];
  };
  assert.deepEqual(await upgrade(bob, "12"), [403, "M_FORBIDDEN"]);
  assert.deepEqual(await upgrade(carol, "12"), [403, "M_FORBIDDEN"]);
  assert.deepEqual(await upgrade(alice, "13"), [400, "M_UNSUPPORTED_ROOM_VERSION"]);
  const rows = await server.ctx.db.log.query(
    "select 1 from log.state where room_id = $1 and type = 'm.room.tombstone'",
    [old],
  );
  assert.deepEqual(rows, []);
});
