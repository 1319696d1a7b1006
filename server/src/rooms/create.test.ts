import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, registerPerson } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { startTestServer } from "../../../testkit/src/server.ts";

const CLIENT = "/_matrix/client/v3";
const { server, alice, bob } = await startNeighbours(["alice", "bob"], { config: { roles: ["auth", "messages"] } });
await bob.call("PUT", `${CLIENT}/profile/${bob.userId}/displayname`, { displayname: "Bob" });

async function create(options: object = {}): Promise<{ id: string; path: string; state: Json[] }> {
  const { room_id: id } = await alice.call("POST", `${CLIENT}/createRoom`, options);
  const path = `${CLIENT}/rooms/${encodeURIComponent(id)}`;
  return { id, path, state: await alice.call("GET", `${path}/state`) };
}

function contentOf(state: Json[], type: string, key = ""): Json {
  return state.find((event) => event.type === type && event.state_key === key)?.content;
}

async function refused(options: object, status: number, errcode: string) {
  const { status: is, body } = await alice.ask("POST", `${CLIENT}/createRoom`, options);
  assert.deepEqual({ status: is, errcode: body.errcode }, { status, errcode });
}

const eventCount = async () => (await server.ctx.db.log.query("select 1 from log.entries where kind = 'event'")).length;

test("a room of version 12 has the id of its create event, and its creator is in it", async () => {
  const { id, state } = await create();
  const first = state.find(({ type }) => type === "m.room.create");
  assert.equal(id, `!${first.event_id.slice(1)}`);
  assert.equal(first.content.room_version, "12");
  assert.equal(contentOf(state, "m.room.member", alice.userId).membership, "join");
});

test("a room of version 11 has an id with the server's name, and its creator has the power of 100", async () => {
  const { id, state } = await create({ room_version: "11" });
  assert.match(id, /^![A-Za-z0-9_-]{24}:localhost$/);
  assert.equal(contentOf(state, "m.room.power_levels").users[alice.userId], 100);
});

test("a preset, a name, a topic and further state are in the room from the start", async () => {
  const { state } = await create({
    preset: "public_chat",
    name: "Kitchen",
    topic: "What is for dinner",
    initial_state: [{ type: "m.room.encryption", content: { algorithm: "m.megolm.v1.aes-sha2" } }],
  });
  assert.equal(contentOf(state, "m.room.join_rules").join_rule, "public");
  assert.equal(contentOf(state, "m.room.name").name, "Kitchen");
  assert.equal(contentOf(state, "m.room.topic").topic, "What is for dinner");
  assert.equal(contentOf(state, "m.room.encryption").algorithm, "m.megolm.v1.aes-sha2");
});

test("those who are invited with a direct room get its flag and their own names", async () => {
  const { state } = await create({ invite: [bob.userId], is_direct: true, preset: "trusted_private_chat" });
  assert.deepEqual(contentOf(state, "m.room.member", bob.userId), {
    membership: "invite",
    displayname: "Bob",
    is_direct: true,
  });
  assert.deepEqual(contentOf(state, "m.room.create").additional_creators, [bob.userId]);
});

test("all events of a room stand together in the log, the create event first", async () => {
  const before = await eventCount();
  const { id, state } = await create({ name: "x", topic: "y", invite: [bob.userId] });
  const rows = await server.ctx.db.log.query<{ position: number; type: string }>(
    "select position, type from log.entries where room_id = $1 order by position",
    [id],
  );
  assert.equal(rows[0]?.type, "m.room.create");
  assert.equal((rows.at(-1)?.position ?? 0) - (rows[0]?.position ?? 0), rows.length - 1);
  assert.equal(rows.length, state.length);
  assert.equal(await eventCount(), before + rows.length);
});

test("a room that can not be as it was asked for leaves nothing behind", async () => {
  const before = await eventCount();
  await refused({ room_version: "13" }, 400, "M_UNSUPPORTED_ROOM_VERSION");
  await refused({ preset: "secret" }, 400, "M_BAD_JSON");
  await refused({ invite: ["bob"] }, 400, "M_INVALID_PARAM");
  await refused({ invite: ["@nobody:localhost"] }, 404, "M_NOT_FOUND");
  await refused({ invite_3pid: [{}] }, 403, "M_THREEPID_DENIED");
  const override = { users: { [alice.userId]: 0 } };
  await refused({ room_version: "11", name: "x", power_level_content_override: override }, 400, "M_INVALID_ROOM_STATE");
  const official = { type: "m.room.canonical_alias", content: { alias: "#official:localhost" } };
  await refused({ initial_state: [official] }, 400, "M_BAD_ALIAS");
  assert.equal(await eventCount(), before);
});

test("where the server is set to another version, rooms have it whose makers name none, and clients are told so", async () => {
  await using other = await startTestServer({ config: { roles: ["auth", "messages"], roomVersion: "11" } });
  const carol = await registerPerson(other.url, "carol");
  const versionOf = async (options: object) => {
    const { room_id: id } = await carol.call("POST", `${CLIENT}/createRoom`, options);
    return (await carol.call("GET", `${CLIENT}/rooms/${encodeURIComponent(id)}/state/m.room.create`)).room_version;
  };
  assert.equal(await versionOf({}), "11");
  assert.equal(await versionOf({ room_version: "12" }), "12");
  const { capabilities } = await carol.call("GET", `${CLIENT}/capabilities`);
  assert.equal(capabilities["m.room_versions"].default, "11");
});

test("null for what may be left out is as leaving it out, and for nothing else", async () => {
  const { path } = await create({ name: null, room_version: null, invite: [bob.userId] });
  await alice.call("POST", `${path}/kick`, { user_id: bob.userId, reason: null });
  const { status, body } = await alice.ask("POST", `${path}/ban`, { user_id: null, reason: "x" });
  assert.deepEqual([status, body.errcode], [400, "M_BAD_JSON"]);
});
