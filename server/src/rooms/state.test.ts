import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { formatToken } from "../log/token.ts";

const CLIENT = "/_matrix/client/v3";
const { server, alice, bob, carol } = await startNeighbours(["alice", "bob", "carol"], {
  config: { roles: ["auth", "messages"] },
});

async function newRoom(options: object = {}): Promise<string> {
  const { room_id } = await alice.call("POST", `${CLIENT}/createRoom`, { preset: "public_chat", ...options });
  return `${CLIENT}/rooms/${encodeURIComponent(room_id as string)}`;
}

async function refused(answer: Promise<{ status: number; body: Json }>, status: number, errcode: string) {
  const { status: is, body } = await answer;
  assert.deepEqual({ status: is, errcode: body.errcode }, { status, errcode });
}

test("state is set and read by type and key, with and without the slash of an empty key", async () => {
  const room = await newRoom();
  const { event_id } = await alice.call("PUT", `${room}/state/m.room.name`, { name: "one" });
  assert.deepEqual(await alice.call("GET", `${room}/state/m.room.name/`), { name: "one" });
  await alice.call("PUT", `${room}/state/m.room.name/`, { name: "two" });
  const event = await alice.call("GET", `${room}/state/m.room.name?format=event`);
  assert.deepEqual(event.content, { name: "two" });
  assert.equal(event.state_key, "");
  assert.equal(event.unsigned.replaces_state, event_id);
  assert.deepEqual(event.unsigned.prev_content, { name: "one" });
  await alice.call("PUT", `${room}/state/org.example.thing/a%2Fb%20c`, { value: 1 });
  assert.deepEqual(await alice.call("GET", `${room}/state/org.example.thing/a%2Fb%20c`), { value: 1 });
  await refused(alice.ask("GET", `${room}/state/org.example.thing/other`), 404, "M_NOT_FOUND");
  await refused(alice.ask("GET", `${room}/state/m.room.name?format=xml`), 400, "M_INVALID_PARAM");
});

test("setting what is set already changes nothing, for the person who set it", async () => {
  const room = await newRoom();
  const topic = { topic: "the same", "m.topic": { "m.text": [{ body: "the same" }] } };
  const first = await alice.call("PUT", `${room}/state/m.room.topic/`, topic);
  assert.deepEqual(await alice.call("PUT", `${room}/state/m.room.topic/`, structuredClone(topic)), first);
  assert.notDeepEqual(await alice.call("PUT", `${room}/state/m.room.topic/`, { topic: "other" }), first);
});

test("state needs membership, power, and a key that is one's own", async () => {
  const room = await newRoom();
  await refused(bob.ask("PUT", `${room}/state/m.room.name/`, { name: "x" }), 403, "M_FORBIDDEN");
  await bob.call("POST", `${room}/join`, {});
  await refused(bob.ask("PUT", `${room}/state/m.room.name/`, { name: "x" }), 403, "M_FORBIDDEN");
  await refused(alice.ask("PUT", `${room}/state/org.example/${bob.userId}`, {}), 403, "M_FORBIDDEN");
  await alice.call("PUT", `${room}/state/org.example/${alice.userId}`, {});
});

test("content that other clients could not use is refused", async () => {
  const room = await newRoom();
  const put = (type: string, content: object) => alice.ask("PUT", `${room}/state/${type}/`, content);
  await refused(put("m.room.create", { room_version: "12" }), 400, "M_BAD_STATE");
  await refused(put("m.room.power_levels", { users: { [bob.userId]: "100" } }), 400, "M_BAD_JSON");
  await refused(put("m.room.history_visibility", { history_visibility: "some" }), 400, "M_BAD_JSON");
  await refused(put("org.example", { fraction: 0.5 }), 400, "M_BAD_JSON");
  await refused(put("org.example", { half: "\ud800" }), 400, "M_BAD_JSON");
  await refused(put("x".repeat(256), {}), 413, "M_TOO_LARGE");
  await refused(put("org.example", { text: "x".repeat(65_536) }), 413, "M_TOO_LARGE");
});

test("a display name of one room is set through the state, and nobody can put another into a room", async () => {
  const room = await newRoom();
  await bob.call("POST", `${room}/join`, {});
  const own = `${room}/state/m.room.member/${bob.userId}`;
  await bob.call("PUT", own, { membership: "join", displayname: "Robert", join_authorised_via_users_server: "@x:y" });
  assert.deepEqual(await bob.call("GET", own), { membership: "join", displayname: "Robert" });
  await refused(bob.ask("PUT", own, { membership: "elsewhere" }), 400, "M_BAD_JSON");
  const other = `${room}/state/m.room.member/${carol.userId}`;
  await refused(alice.ask("PUT", other, { membership: "join" }), 403, "M_FORBIDDEN");
});

test("the whole state is for members, and of a room that was left as it was then", async () => {
  const room = await newRoom({ name: "before" });
  await refused(bob.ask("GET", `${room}/state`), 403, "M_FORBIDDEN");
  await bob.call("POST", `${room}/join`, {});
  await bob.call("POST", `${room}/leave`, {});
  await alice.call("PUT", `${room}/state/m.room.name/`, { name: "after" });
  await carol.call("POST", `${room}/join`, {});
  const nameIn = (state: Json[]) => state.find(({ type }) => type === "m.room.name").content.name;
  const seen = await bob.call("GET", `${room}/state`);
  assert.equal(nameIn(seen), "before");
  assert.equal(nameIn(await alice.call("GET", `${room}/state`)), "after");
  assert.ok(seen.some((event: Json) => event.state_key === bob.userId && event.content.membership === "leave"));
  assert.ok(!seen.some((event: Json) => event.state_key === carol.userId));
  assert.deepEqual(await bob.call("GET", `${room}/state/m.room.name/`), { name: "before" });
  const { chunk } = await bob.call("GET", `${room}/members`);
  assert.deepEqual(chunk.map((event: Json) => event.state_key).toSorted(), [alice.userId, bob.userId]);
  await refused(bob.ask("GET", `${room}/joined_members`), 403, "M_FORBIDDEN");
});

test("who was only invited, or banned without ever having been in, reads nothing", async () => {
  const room = await newRoom({ preset: "private_chat", invite: [bob.userId] });
  await refused(bob.ask("GET", `${room}/state`), 403, "M_FORBIDDEN");
  await bob.call("POST", `${room}/leave`, {});
  await refused(bob.ask("GET", `${room}/state`), 403, "M_FORBIDDEN");
  await alice.call("POST", `${room}/ban`, { user_id: carol.userId });
  await refused(carol.ask("GET", `${room}/members`), 403, "M_FORBIDDEN");
  await refused(carol.ask("GET", `${CLIENT}/rooms/!${"x".repeat(43)}/state`), 403, "M_FORBIDDEN");
});

test("a member who left and is then banned still reads no further than to the leave", async () => {
  const room = await newRoom({ name: "while in" });
  await bob.call("POST", `${room}/join`, {});
  await bob.call("POST", `${room}/leave`, {});
  await alice.call("PUT", `${room}/state/m.room.name/`, { name: "between" });
  await alice.call("POST", `${room}/ban`, { user_id: bob.userId });
  assert.deepEqual(await bob.call("GET", `${room}/state/m.room.name/`), { name: "while in" });
});

test("anyone reads the state of a room that is world readable, and who is in it", async () => {
  const visibility = { type: "m.room.history_visibility", content: { history_visibility: "world_readable" } };
  const room = await newRoom({ initial_state: [visibility] });
  assert.equal((await carol.call("GET", `${room}/state`)).length > 0, true);
  assert.deepEqual(Object.keys((await carol.call("GET", `${room}/joined_members`)).joined), [alice.userId]);
  await alice.call("PUT", `${room}/state/m.room.history_visibility/`, { history_visibility: "shared" });
  await refused(carol.ask("GET", `${room}/state`), 403, "M_FORBIDDEN");
  await refused(carol.ask("GET", `${room}/joined_members`), 403, "M_FORBIDDEN");
});

test("members are filtered by what they are and by what they are not, and either condition suffices", async () => {
  const room = await newRoom({ preset: "private_chat", invite: [bob.userId, carol.userId] });
  await bob.call("POST", `${room}/join`, {});
  await carol.call("POST", `${room}/leave`, {});
  const keys = async (query: string) => {
    const { chunk } = await alice.call("GET", `${room}/members${query}`);
    return chunk.map((event: Json) => event.state_key).toSorted();
  };
  assert.deepEqual(await keys(""), [alice.userId, bob.userId, carol.userId]);
  assert.deepEqual(await keys("?membership=join"), [alice.userId, bob.userId]);
  assert.deepEqual(await keys("?not_membership=join"), [carol.userId]);
  assert.deepEqual(await keys("?membership=join&not_membership=ban"), [alice.userId, bob.userId, carol.userId]);
  await refused(alice.ask("GET", `${room}/members?membership=guest`), 400, "M_INVALID_PARAM");
  await refused(alice.ask("GET", `${room}/members?at=nonsense`), 400, "M_INVALID_PARAM");
});

test("members at the token before a room's first event are those with whom it begins", async () => {
  const { log } = server.ctx;
  const token = formatToken({ epoch: log.epoch, position: log.hub.head() });
  const room = await newRoom();
  await bob.call("POST", `${room}/join`, {});
  const { chunk } = await alice.call("GET", `${room}/members?at=${token}`);
  assert.deepEqual(
    chunk.map((event: Json) => event.state_key),
    [alice.userId],
  );
});

test("members at a token are those of that moment", async () => {
  const room = await newRoom();
  const { log } = server.ctx;
  const token = formatToken({ epoch: log.epoch, position: log.hub.head() });
  await bob.call("POST", `${room}/join`, {});
  const { chunk } = await alice.call("GET", `${room}/members?at=${token}`);
  assert.deepEqual(
    chunk.map((event: Json) => event.state_key),
    [alice.userId],
  );
});

test("the joined members come with their names and pictures", async () => {
  await bob.call("PUT", `${CLIENT}/profile/${bob.userId}/displayname`, { displayname: "Bob" });
  const room = await newRoom();
  await bob.call("POST", `${room}/join`, {});
  const { joined } = await bob.call("GET", `${room}/joined_members`);
  assert.deepEqual(joined[bob.userId], { display_name: "Bob", avatar_url: null });
  assert.deepEqual(Object.keys(joined).toSorted(), [alice.userId, bob.userId]);
  await refused(carol.ask("GET", `${room}/joined_members`), 403, "M_FORBIDDEN");
});
