import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { limits } from "../limits.ts";
import { listPerson } from "./people.ts";

const CLIENT = "/_matrix/client/v3";
const { server, alice, bob } = await startNeighbours(["alice", "bob"], { config: { roles: ["auth", "messages"] } });

async function search(who: Person, search_term: string, more: object = {}): Promise<string[]> {
  const { results } = await who.call("POST", `${CLIENT}/user_directory/search`, { search_term, ...more });
  return results.map((user: Json) => user.user_id);
}

const rename = (who: Person, displayname: string) =>
  who.call("PUT", `${CLIENT}/profile/${who.userId}/displayname`, { displayname });

/** Somebody who shares a private room with alice. */
async function friend(name: string, displayname?: string): Promise<Person> {
  const person = await registerPerson(server.url, name);
  if (displayname !== undefined) await rename(person, displayname);
  const room = await createRoom(alice, { preset: "private_chat", invite: [person.userId] });
  await room.change(person, "join");
  return person;
}

test("those who share a room find each other; others do not", async () => {
  const friendly = await friend("friendly");
  assert.deepEqual(await search(alice, "friendly"), [friendly.userId]);
  assert.deepEqual(await search(friendly, "alice"), [alice.userId]);
  assert.deepEqual(await search(bob, "friendly"), []);
});

test("an invitation, or a room that was left, is no shared room", async () => {
  const person = await registerPerson(server.url, "hesitant");
  const room = await createRoom(alice, { preset: "private_chat", invite: [person.userId] });
  assert.deepEqual(await search(alice, "hesitant"), []);
  await room.change(person, "join");
  assert.deepEqual(await search(alice, "hesitant"), [person.userId]);
  await room.change(person, "leave");
  assert.deepEqual(await search(alice, "hesitant"), []);
});

test("whoever is in a room that all may join or read is found by everybody, for as long as that is so", async () => {
  for (const [type, open, closed] of [
    ["m.room.join_rules", { join_rule: "public" }, { join_rule: "invite" }],
    ["m.room.history_visibility", { history_visibility: "world_readable" }, { history_visibility: "shared" }],
  ] as const) {
    const name = `outgoing${type.length}`;
    const person = await registerPerson(server.url, name);
    const room = await createRoom(person, { preset: "private_chat", initial_state: [{ type, content: closed }] });
    assert.deepEqual(await search(bob, name), [], type);
    await room.set(person, type, open);
    assert.deepEqual(await search(bob, name), [person.userId], type);
    await room.set(person, type, closed);
    assert.deepEqual(await search(bob, name), [], type);
  }
});

test("a process that starts later knows which rooms are open", async () => {
  const person = await registerPerson(server.url, "earlybird");
  await createRoom(person);
  await using next = await startTestServer({
    config: { roles: ["auth", "messages"] },
    databaseUrl: server.databaseUrl,
  });
  const other = await registerPerson(next.url, "latecomer");
  assert.deepEqual(await search(other, "earlybird"), [person.userId]);
});

test("anyone is found by the whole user id, and nobody by a part of it", async () => {
  const person = await registerPerson(server.url, "recluse");
  assert.deepEqual(await search(bob, person.userId), [person.userId]);
  assert.deepEqual(await search(bob, "@recluse:localhos"), []);
  assert.deepEqual(await search(bob, "@nobody:localhost"), []);
  const friendly = await friend("partly.known");
  for (const term of ["@partly.known:localhost", "@partly.known:local", "@partly", "partly.k", "known"])
    assert.deepEqual(await search(alice, term), [friendly.userId], term);
  assert.deepEqual(await search(alice, "@partly.known:elsewhere"), []);
});

test("each word of the term begins a word of the name, without regard to case, accents and order", async () => {
  const person = await friend("zk7", "Zoë van der Größe-Müller");
  for (const term of ["zoe", "ZOË", "grö", "mul", "der zo", "van Große", "zk7", "  zoe  "])
    assert.deepEqual(await search(alice, term), [person.userId], term);
  for (const term of ["oë", "zoe smith", "%", "z_e", ""]) assert.deepEqual(await search(alice, term), [], term);
});

test("people come with their names and pictures, and without what is none", async () => {
  const person = await friend("picture", "Pictured Person");
  await person.call("PUT", `${CLIENT}/profile/${person.userId}/avatar_url`, { avatar_url: "mxc://localhost/face" });
  const { results, limited } = await alice.call("POST", `${CLIENT}/user_directory/search`, { search_term: "pictured" });
  assert.deepEqual(results, [
    { user_id: person.userId, display_name: "Pictured Person", avatar_url: "mxc://localhost/face" },
  ]);
  assert.equal(limited, false);
});

test("a name that was changed or taken away finds nobody any more", async () => {
  const person = await friend("changing", "Firstname");
  await rename(person, "Secondname");
  assert.deepEqual(await search(alice, "firstname"), []);
  assert.deepEqual(await search(alice, "secondname"), [person.userId]);
  await person.call("DELETE", `${CLIENT}/profile/${person.userId}/displayname`);
  assert.deepEqual(await search(alice, "secondname"), []);
  assert.deepEqual(await search(alice, "changing"), [person.userId]);
});

test("an account that was deactivated is found by nobody, not even by its id", async () => {
  const person = await friend("departing");
  const auth = {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: "departing" },
    password: "password of departing",
  };
  await person.call("POST", `${CLIENT}/account/deactivate`, { auth });
  assert.deepEqual(await search(alice, "departing"), []);
  assert.deepEqual(await search(alice, person.userId), []);
});

test("one finds oneself only where everybody does: in a room that is open", async () => {
  assert.deepEqual(await search(alice, "alice"), []);
  assert.deepEqual(await search(alice, alice.userId), []);
  const dora = await registerPerson(server.url, "dora");
  const room = await createRoom(dora, { preset: "public_chat" });
  assert.deepEqual(await search(dora, "dora"), [dora.userId]);
  await room.change(dora, "leave");
  assert.deepEqual(await search(dora, "dora"), []);
});

test("who is locked or suspended is found by nobody, until that ends", async () => {
  const person = await friend("restrained");
  const set = (column: string, value: string) =>
    server.ctx.db.auth.change(`update auth.accounts set ${column} = ${value} where user_id = $1`, [person.userId]);
  for (const column of ["suspended_at", "read_only_at"]) {
    await set(column, "now()");
    assert.deepEqual(await search(alice, "restrained"), [], column);
    assert.deepEqual(await search(alice, person.userId), [], column);
    await set(column, "null");
    assert.deepEqual(await search(alice, "restrained"), [person.userId]);
  }
});

test("who is called so exactly comes first, then whose name begins so; more than the limit is said to be more", async () => {
  const people = [
    await friend("qqfour", "Some Qqx"),
    await friend("qqthree", "Qqx Longer"),
    await friend("qqtwo", "Qqx"),
    await friend("qqx"),
  ];
  const [inside, begins, exact, local] = people.map(({ userId }) => userId);
  assert.deepEqual(await search(alice, "qqx"), [exact, local, begins, inside]);
  const ask = (limit: number) => alice.call("POST", `${CLIENT}/user_directory/search`, { search_term: "qqx", limit });
  const some = await ask(2);
  assert.deepEqual([some.results.length, some.limited], [2, true]);
  const all = await ask(4);
  assert.deepEqual([all.results.length, all.limited], [4, false]);
});

test("where very many are around somebody, the search gives the same", async () => {
  const person = await registerPerson(server.url, "popular");
  const far = await registerPerson(server.url, "popularbuthidden");
  const room = await createRoom(person, { preset: "private_chat" });
  const crowd = Array.from({ length: limits.userSearchCircle_users + 10 }, (_, i) => `@crowd${i}:localhost`);
  await server.ctx.db.log.change(
    "insert into log.members (room_id, user_id, membership, position, event_id) select $1, unnest($2::text[]), 'join', 1, 'x'",
    [room.id, crowd],
  );
  for (const userId of crowd.slice(0, 20)) await listPerson(server.ctx, userId);
  assert.deepEqual(await search(person, "crowd7"), ["@crowd7:localhost"]);
  assert.equal((await search(person, "crowd", { limit: 50 })).length, 20);
  assert.deepEqual(await search(person, "popularbut"), []);
  assert.deepEqual(await search(person, far.userId), [far.userId]);
  await server.ctx.db.log.change("delete from log.members where room_id = $1", [room.id]);
});
