import assert from "node:assert/strict";
import { test } from "node:test";
import type { Person } from "../../../../testkit/src/http.ts";
import { startTestServer } from "../../../../testkit/src/server.ts";
import { listed, slide } from "../../../../testkit/src/sliding.ts";
import { createRoom, people, roomPath } from "../../../../testkit/src/syncing.ts";

const accountData = (person: Person, type: string, content: object) =>
  person.call("PUT", `/_matrix/client/v3/user/${person.userId}/account_data/${type}`, content);
const tag = (person: Person, roomId: string, name: string) =>
  person.call("PUT", `/_matrix/client/v3/user/${person.userId}/rooms/${encodeURIComponent(roomId)}/tags/${name}`, {});
const ENCRYPTION = { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } };

test("each filter shows the rooms of which it is true, and several those of which all are", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const rooms = {
    plain: await createRoom(alice, { name: "Plain Old Room" }),
    secret: await createRoom(alice, { name: "secret", initial_state: [ENCRYPTION] }),
    chat: await createRoom(alice, { initial_state: [ENCRYPTION] }),
    space: await createRoom(alice, { name: "space", creation_content: { type: "m.space" } }),
    odd: await createRoom(alice, { creation_content: { type: "org.example.odd" } }),
    invited: await createRoom(bob, { name: "invited", invite: [alice.userId] }),
  };
  await accountData(alice, "m.direct", { [bob.userId]: [rooms.chat, 7], "@x:y": "nothing" });
  await tag(alice, rooms.plain, "m.favourite");
  await tag(alice, rooms.secret, "m.favourite");
  await tag(alice, rooms.secret, "u.work");
  for (const [child, content] of [
    [rooms.secret, { via: ["localhost"] }],
    [rooms.odd, {}],
    ["!unknown:x", { via: ["x"] }],
  ] as const)
    await alice.call("PUT", roomPath(rooms.space, `state/m.space.child/${encodeURIComponent(child)}`), content);

  const names = new Map(Object.entries(rooms).map(([name, roomId]) => [roomId, name]));
  const cases: [filters: object, shown: string[]][] = [
    [{}, ["chat", "invited", "odd", "plain", "secret", "space"]],
    [{ is_dm: true }, ["chat"]],
    [{ is_dm: false }, ["invited", "odd", "plain", "secret", "space"]],
    [{ is_encrypted: true }, ["chat", "secret"]],
    [{ is_encrypted: false, is_invite: false }, ["odd", "plain", "space"]],
    [{ is_invite: true }, ["invited"]],
    [{ is_invited: true }, ["invited"]],
    [{ room_types: ["m.space"] }, ["space"]],
    [{ room_types: [null] }, ["chat", "invited", "plain", "secret"]],
    [{ not_room_types: ["m.space"] }, ["chat", "invited", "odd", "plain", "secret"]],
    [{ room_types: ["m.space", "org.example.odd"], not_room_types: ["m.space"] }, ["odd"]],
    [{ not_room_types: [null] }, ["odd", "space"]],
    [{ room_name_like: "oLd" }, ["plain"]],
    [{ tags: ["m.favourite"] }, ["plain", "secret"]],
    [{ tags: ["m.favourite"], not_tags: ["u.work"] }, ["plain"]],
    [{ not_tags: ["m.favourite"] }, ["chat", "invited", "odd", "space"]],
    [{ spaces: [rooms.space] }, ["secret"]],
    [{ spaces: ["!unknown:x"] }, []],
    [{ is_dm: true, is_encrypted: null }, ["chat"]],
  ];
  for (const [filters, shown] of cases) {
    const answer = await slide(alice, listed({ filters }));
    const found = Object.keys(answer.rooms).map((roomId) => names.get(roomId) as string);
    assert.deepEqual([found.toSorted(), answer.lists.all.count], [shown, shown.length], JSON.stringify(filters));
  }
});

test("filters follow what changes", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const roomId = await createRoom(alice, { name: "before" });
  const counts = async () => {
    const asked = { ranges: [[0, 9]], timeline_limit: 0, required_state: [] };
    const lists = Object.fromEntries(
      Object.entries({
        direct: { is_dm: true },
        encrypted: { is_encrypted: true },
        named: { room_name_like: "after" },
        tagged: { tags: ["u.x"] },
      }).map(([name, filters]) => [name, { ...asked, filters }]),
    );
    const answer = await slide(alice, { lists });
    return Object.values(answer.lists as Record<string, { count: number }>).map(({ count }) => count);
  };
  assert.deepEqual(await counts(), [0, 0, 0, 0]);
  await accountData(alice, "m.direct", { [alice.userId]: [roomId] });
  await alice.call("PUT", roomPath(roomId, "state/m.room.encryption/"), ENCRYPTION.content);
  await alice.call("PUT", roomPath(roomId, "state/m.room.name/"), { name: "after" });
  await tag(alice, roomId, "u.x");
  assert.deepEqual(await counts(), [1, 1, 1, 1]);
});

test("that a room becomes a direct chat is told at once", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const roomId = await createRoom(alice);
  const first = await slide(alice, listed());
  assert.equal(first.rooms[roomId].is_dm, undefined);
  await accountData(alice, "m.direct", { "@x:y": [roomId] });
  const second = await slide(alice, listed(), { pos: first.pos });
  assert.equal(second.rooms[roomId].is_dm, true);
  await accountData(alice, "m.direct", {});
  const third = await slide(alice, listed(), { pos: second.pos });
  assert.equal(third.rooms[roomId].is_dm, false);
});

test("invitations of people who are ignored are not shown, and none to who takes none", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await createRoom(bob, { invite: [alice.userId] });
  await accountData(alice, "m.ignored_user_list", { ignored_users: { [bob.userId]: {} } });
  const room_subscriptions = { [roomId]: { timeline_limit: 1, required_state: [] } };
  const shown = async () => {
    const answer = await slide(alice, listed({}, { room_subscriptions }));
    return [Object.keys(answer.rooms), answer.lists.all.count];
  };
  assert.deepEqual(await shown(), [[], 0]);
  await accountData(alice, "m.ignored_user_list", { ignored_users: {} });
  assert.deepEqual(await shown(), [[roomId], 1]);
  await accountData(alice, "m.invite_permission_config", { default_action: "block" });
  assert.deepEqual(await shown(), [[], 0]);
});
