import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, request } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { reserve } from "./aliases.ts";

const CLIENT = "/_matrix/client/v3";
const { server, alice, bob } = await startNeighbours(["alice", "bob"], { config: { roles: ["auth", "messages"] } });

const roomPath = (id: string) => `${CLIENT}/rooms/${encodeURIComponent(id)}`;
const aliasPath = (alias: string) => `${CLIENT}/directory/room/${encodeURIComponent(alias)}`;

async function create(options: object = {}): Promise<string> {
  return (await alice.call("POST", `${CLIENT}/createRoom`, { preset: "public_chat", ...options })).room_id;
}

async function refused(answer: Promise<{ status: number; body: Json }>, status: number, errcode: string) {
  const { status: is, body } = await answer;
  assert.deepEqual({ status: is, errcode: body.errcode }, { status, errcode });
}

const pointsTo = async (alias: string) => (await request(server.url, "GET", aliasPath(alias))).body.room_id;

test("a room that is made with an alias is found by it, joined by it, and calls itself by it", async () => {
  const id = await create({ room_alias_name: "garden" });
  assert.equal(await pointsTo("#garden:localhost"), id);
  const joined = await bob.call("POST", `${CLIENT}/join/${encodeURIComponent("#garden:localhost")}`, {});
  assert.equal(joined.room_id, id);
  assert.deepEqual(await bob.call("GET", `${roomPath(id)}/state/m.room.canonical_alias/`), {
    alias: "#garden:localhost",
  });
});

test("of two rooms that want one alias only the first is made", async () => {
  const wish = { room_alias_name: "wanted", preset: "public_chat" };
  const answers = await Promise.all(Array.from({ length: 5 }, () => alice.ask("POST", `${CLIENT}/createRoom`, wish)));
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  const made = answers.find(({ status }) => status === 200);
  assert.equal(await pointsTo("#wanted:localhost"), made?.body.room_id);
  for (const { status, body } of answers) if (status !== 200) assert.equal(body.errcode, "M_ROOM_IN_USE");
});

test("a room that can not be made leaves its alias free", async () => {
  const override = { users: { [alice.userId]: "high" } };
  const wish = { room_alias_name: "again", power_level_content_override: override };
  assert.notEqual((await alice.ask("POST", `${CLIENT}/createRoom`, wish)).status, 200);
  assert.equal(await pointsTo("#again:localhost"), undefined);
  await create({ room_alias_name: "again" });
});

test("an alias whose room was never finished is found by nobody, and free after a minute", async () => {
  const lost = { alias: "#lost:localhost", roomId: `!${"x".repeat(43)}`, creator: alice.userId };
  assert.equal(await reserve(server.ctx, lost), true);
  await refused(request(server.url, "GET", aliasPath(lost.alias)), 404, "M_NOT_FOUND");
  await refused(bob.ask("POST", `${CLIENT}/createRoom`, { room_alias_name: "lost" }), 400, "M_ROOM_IN_USE");
  await server.ctx.db.rooms.change(
    "update rooms.aliases set created_at = now() - interval '2 minutes' where alias = $1",
    [lost.alias],
  );
  const id = await create({ room_alias_name: "lost" });
  assert.equal(await pointsTo(lost.alias), id);
});

test("a member gives the room more aliases; giving one again changes nothing", async () => {
  const id = await create();
  const alias = "#second:localhost";
  await alice.call("PUT", aliasPath(alias), { room_id: id });
  await alice.call("PUT", aliasPath(alias), { room_id: id });
  await alice.call("PUT", aliasPath("#Dritter Weg ü:localhost"), { room_id: id });
  assert.deepEqual((await alice.call("GET", `${roomPath(id)}/aliases`)).aliases, [alias, "#Dritter Weg ü:localhost"]);
});

test("an alias that points to another room, or that somebody else made, is taken", async () => {
  const id = await create({ room_alias_name: "mine" });
  await refused(alice.ask("PUT", aliasPath("#mine:localhost"), { room_id: await create() }), 409, "M_UNKNOWN");
  await bob.call("POST", `${roomPath(id)}/join`, {});
  await refused(bob.ask("PUT", aliasPath("#mine:localhost"), { room_id: id }), 409, "M_UNKNOWN");
});

test("only members give aliases, and a room that is not there is like one that they are not in", async () => {
  const id = await create();
  await refused(bob.ask("PUT", aliasPath("#bobs:localhost"), { room_id: id }), 403, "M_FORBIDDEN");
  await refused(bob.ask("PUT", aliasPath("#bobs:localhost"), { room_id: `!${"x".repeat(43)}` }), 403, "M_FORBIDDEN");
});

test("what is no alias of this server is refused", async () => {
  const body = { room_id: await create() };
  for (const alias of ["#a:elsewhere.org", "a:localhost", "#:localhost", "#a", `#${"a".repeat(250)}:localhost`])
    await refused(alice.ask("PUT", aliasPath(alias), body), 400, "M_INVALID_PARAM");
  await refused(request(server.url, "GET", aliasPath("#nowhere:localhost")), 404, "M_NOT_FOUND");
  await refused(request(server.url, "GET", aliasPath("#a:elsewhere.org")), 404, "M_NOT_FOUND");
  await refused(request(server.url, "GET", aliasPath("nonsense")), 400, "M_INVALID_PARAM");
  await refused(
    alice.ask("POST", `${CLIENT}/join/${encodeURIComponent("#nowhere:localhost")}`, {}),
    404,
    "M_NOT_FOUND",
  );
});

test("an alias is taken away by who made it or who has the power, and the room stops to call itself by it", async () => {
  const id = await create({ room_alias_name: "old" });
  const more = ["#old2:localhost", "#old3:localhost"];
  for (const alias of more) await alice.call("PUT", aliasPath(alias), { room_id: id });
  const content = { alias: "#old:localhost", alt_aliases: more };
  await alice.call("PUT", `${roomPath(id)}/state/m.room.canonical_alias/`, content);
  await refused(bob.ask("DELETE", aliasPath("#old:localhost")), 403, "M_FORBIDDEN");
  await bob.call("POST", `${roomPath(id)}/join`, {});
  await refused(bob.ask("DELETE", aliasPath("#old:localhost")), 403, "M_FORBIDDEN");
  await alice.call("DELETE", aliasPath("#old:localhost"));
  await alice.call("DELETE", aliasPath("#old2:localhost"));
  await refused(alice.ask("DELETE", aliasPath("#old:localhost")), 404, "M_NOT_FOUND");
  assert.deepEqual(await alice.call("GET", `${roomPath(id)}/state/m.room.canonical_alias/`), {
    alt_aliases: ["#old3:localhost"],
  });
});

test("in the list of rooms an alias that was taken away is not found any more, at once", async () => {
  const id = await create({ room_alias_name: "listed", visibility: "public" });
  const found = async () => {
    const filter = { generic_search_term: "#listed:localhost" };
    return (await alice.call("POST", `${CLIENT}/publicRooms`, { filter })).chunk.map((room: Json) => room.room_id);
  };
  assert.deepEqual(await found(), [id]);
  await alice.call("DELETE", aliasPath("#listed:localhost"));
  assert.deepEqual(await found(), []);
});

test("who made an alias takes it away also where the room's names are not theirs to set", async () => {
  const id = await create();
  await bob.call("POST", `${roomPath(id)}/join`, {});
  await bob.call("PUT", aliasPath("#bob:localhost"), { room_id: id });
  await alice.call("PUT", `${roomPath(id)}/state/m.room.canonical_alias/`, { alias: "#bob:localhost" });
  await bob.call("DELETE", aliasPath("#bob:localhost"));
  assert.equal(await pointsTo("#bob:localhost"), undefined);
  assert.equal((await bob.call("GET", `${roomPath(id)}/state/m.room.canonical_alias/`)).alias, "#bob:localhost");
});

test("a room calls itself by aliases that point to it only; those that it has may stay", async () => {
  const id = await create({ room_alias_name: "kept" });
  await create({ room_alias_name: "foreign" });
  const set = (content: object) => alice.ask("PUT", `${roomPath(id)}/state/m.room.canonical_alias/`, content);
  await refused(set({ alias: "#foreign:localhost" }), 400, "M_BAD_ALIAS");
  await refused(set({ alias: "#kept:localhost", alt_aliases: ["#nowhere:localhost"] }), 400, "M_BAD_ALIAS");
  await refused(set({ alias: "nonsense" }), 400, "M_INVALID_PARAM");
  await server.ctx.db.rooms.change("delete from rooms.aliases where alias = '#kept:localhost'");
  assert.equal((await set({ alt_aliases: ["#kept:localhost"] })).status, 200);
});

test("the aliases of a room are for its members, and for all where anyone may read it", async () => {
  const hidden = await create({ room_alias_name: "hidden" });
  await refused(bob.ask("GET", `${roomPath(hidden)}/aliases`), 403, "M_FORBIDDEN");
  await refused(bob.ask("GET", `${roomPath("no-room")}/aliases`), 400, "M_INVALID_PARAM");
  await refused(bob.ask("GET", `${roomPath(`!${"x".repeat(43)}`)}/aliases`), 403, "M_FORBIDDEN");
  const history = { type: "m.room.history_visibility", content: { history_visibility: "world_readable" } };
  const open = await create({ room_alias_name: "open", initial_state: [history] });
  assert.deepEqual((await bob.call("GET", `${roomPath(open)}/aliases`)).aliases, ["#open:localhost"]);
});

test("a room's aliases go to the room that takes its place", async () => {
  const id = await create({ room_version: "11", room_alias_name: "moving" });
  const { replacement_room } = await alice.call("POST", `${roomPath(id)}/upgrade`, { new_version: "12" });
  assert.equal(await pointsTo("#moving:localhost"), replacement_room);
  assert.deepEqual(await alice.call("GET", `${roomPath(replacement_room)}/state/m.room.canonical_alias/`), {
    alias: "#moving:localhost",
  });
});
