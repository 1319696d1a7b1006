import assert from "node:assert/strict";
import { test } from "node:test";
import { registerGuest, registerPerson, request } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { activePeople } from "./for-billing.ts";

const CLIENT = "/_matrix/client/v3";
const { server, alice, bob } = await startNeighbours(["alice", "bob"], { config: { guests: true } });
const ACCESS = "m.room.guest_access";

async function openRoom(guest_access = "can_join", options: object = {}) {
  const room = await createRoom(alice, options);
  await room.set(alice, ACCESS, { guest_access });
  return room;
}

async function membershipOf(room: { id: string }, userId: string): Promise<string | undefined> {
  const { body } = await alice.ask("GET", `${CLIENT}/rooms/${room.id}/state/m.room.member/${userId}`);
  return body.membership;
}

test("without guests there are none", async () => {
  await using other = await startTestServer();
  const { status, body } = await request(other.url, "POST", `${CLIENT}/register?kind=guest`, { body: {} });
  assert.deepEqual([status, body.errcode], [403, "M_GUEST_ACCESS_FORBIDDEN"]);
});

test("a guest gets an account; of what the client says only the device's name counts", async () => {
  const wishes = { username: "bob", password: "hunter22", device_id: "MINE", inhibit_login: true };
  const guest = await registerGuest(server.url, { ...wishes, initial_device_display_name: "Phone" });
  assert.notEqual(guest.userId, bob.userId);
  assert.notEqual(guest.deviceId, "MINE");
  const whoami = await guest.call("GET", `${CLIENT}/account/whoami`);
  assert.deepEqual([whoami.user_id, whoami.is_guest], [guest.userId, true]);
  const device = await guest.call("GET", `${CLIENT}/devices/${guest.deviceId}`);
  assert.equal(device.display_name, "Phone");
  assert.equal((await bob.call("GET", `${CLIENT}/account/whoami`)).is_guest, false);
});

test("guests do what is listed, and nothing else", async () => {
  const guest = await registerGuest(server.url);
  const room = await openRoom("can_join", { power_level_content_override: { invite: 0 } });
  await room.change(guest, "join");
  const refused: [string, string, object?][] = [
    ["POST", "/createRoom", {}],
    ["POST", `/rooms/${room.id}/invite`, { user_id: bob.userId }],
    ["PUT", `/rooms/${room.id}/state/m.room.member/${bob.userId}`, { membership: "invite" }],
    ["PUT", `/profile/${guest.userId}/avatar_url`, { avatar_url: "mxc://a/b" }],
    ["GET", "/events"],
    ["GET", "/joined_rooms"],
    ["POST", "/user_directory/search", { search_term: "bob" }],
    ["POST", "/account/password", { new_password: "hunter22hunter22" }],
  ];
  for (const [method, path, body] of refused) {
    const answer = await guest.ask(method, CLIENT + path, body);
    assert.deepEqual([answer.status, answer.body.errcode], [403, "M_GUEST_ACCESS_FORBIDDEN"], `${method} ${path}`);
  }
  await guest.call("PUT", `${CLIENT}/profile/${guest.userId}/displayname`, { displayname: "creeper" });
  const member = await guest.call("GET", `${CLIENT}/rooms/${room.id}/state/m.room.member/${guest.userId}`);
  assert.equal(member.displayname, "creeper");
  const sent = await room.say(guest, "sup");
  const synced = await guest.call("GET", `${CLIENT}/sync`);
  const events: { event_id: string }[] = synced.rooms.join[room.id].timeline.events;
  assert.ok(events.some((event) => event.event_id === sent));
  assert.deepEqual((await guest.call("POST", `${CLIENT}/keys/query`, { device_keys: {} })).device_keys, {});
});

test("guests come into rooms that let guests in, and into no others, whichever way they take", async () => {
  const guest = await registerGuest(server.url);
  const closed = await openRoom("forbidden");
  const silent = await createRoom(alice, { preset: "public_chat" });
  for (const room of [closed, silent])
    for (const [method, path, body] of [
      ["POST", `/rooms/${room.id}/join`, {}],
      ["POST", `/join/${room.id}`, {}],
      ["PUT", `/rooms/${room.id}/state/m.room.member/${guest.userId}`, { membership: "join" }],
    ] as const) {
      const answer = await guest.ask(method, CLIENT + path, body);
      assert.deepEqual([answer.status, answer.body.errcode], [403, "M_GUEST_ACCESS_FORBIDDEN"], path);
    }
  await closed.change(bob, "join");
  const open = await openRoom();
  assert.equal(
    (await guest.ask("PUT", `${CLIENT}/rooms/${open.id}/send/m.room.message/1`, { body: "sup" })).status,
    403,
  );
  await guest.call("POST", `${CLIENT}/join/${open.id}`, {});
  assert.equal(await membershipOf(open, guest.userId), "join");
  await guest.call("POST", `${CLIENT}/rooms/${open.id}/send/m.room.message`, { msgtype: "m.text", body: "sup" });
});

test("when a room lets no guests in any more they leave it, and the others stay", async () => {
  const guest = await registerGuest(server.url);
  const room = await openRoom();
  await room.change(bob, "join");
  await room.change(guest, "join");
  await room.set(alice, ACCESS, { guest_access: "forbidden" });
  assert.deepEqual([await membershipOf(room, guest.userId), await membershipOf(room, bob.userId)], ["leave", "join"]);
  const redactions: ((redacts: string) => Promise<unknown>)[] = [
    (redacts) => room.redact(alice, redacts),
    (redacts) => alice.call("PUT", `${room.path}/send/m.room.redaction/${redacts}`, { redacts }),
  ];
  for (const redactBy of redactions) {
    const again = await room.set(alice, ACCESS, { guest_access: "can_join" });
    await room.change(guest, "join");
    await redactBy(again);
    assert.equal(await membershipOf(room, guest.userId), "leave");
  }
});

test("guests and everybody else look into rooms that the world may read", async () => {
  const room = await openRoom("forbidden", { preset: "private_chat" });
  await room.say(alice, "private");
  const paths = [`rooms/${room.id}/messages?dir=b`, `rooms/${room.id}/initialSync`, `rooms/${room.id}/state`];
  const reader = await registerGuest(server.url);
  for (const path of [...paths, `events?room_id=${room.id}`])
    assert.equal((await reader.ask("GET", `${CLIENT}/${path}`)).status, 403, path);
  await room.set(alice, "m.room.history_visibility", { history_visibility: "world_readable" });
  const sent = await room.say(alice, "public");
  for (const who of [reader, bob]) {
    for (const path of [...paths, `rooms/${room.id}/members`, `rooms/${room.id}/context/${sent}`])
      await who.call("GET", `${CLIENT}/${path}`);
    const { messages } = await who.call("GET", `${CLIENT}/rooms/${room.id}/initialSync`);
    const told = messages.chunk.map((event: { type: string }) => event.type);
    assert.deepEqual(told.slice(0, 2), ["m.room.history_visibility", "m.room.message"]);
    const query = `room_id=${room.id}&timeout=0&from=${messages.end}`;
    assert.deepEqual((await who.call("GET", `${CLIENT}/events?${query}`)).chunk, []);
    const later = await room.say(alice, "later");
    const { chunk } = await who.call("GET", `${CLIENT}/events?${query}`);
    assert.deepEqual(
      chunk.map((event: { event_id: string }) => event.event_id),
      [later],
    );
    await room.redact(alice, later);
  }
});

test("guests are in no directory of people and on no bill", async () => {
  const before = await activePeople(server.ctx.db.auth, 1);
  const guest = await registerGuest(server.url);
  const room = await openRoom();
  await room.change(guest, "join");
  await guest.call("PUT", `${CLIENT}/profile/${guest.userId}/displayname`, { displayname: "Wanderer" });
  for (const search_term of ["Wanderer", guest.userId]) {
    const { results } = await alice.call("POST", `${CLIENT}/user_directory/search`, { search_term });
    assert.deepEqual(results, []);
  }
  assert.equal(await activePeople(server.ctx.db.auth, 1), before);
});

test("a guest becomes an ordinary account by its own token and name, and stays who it was", async () => {
  const guest = await registerGuest(server.url);
  const other = await registerGuest(server.url);
  const room = await openRoom();
  await room.change(guest, "join");
  const username = guest.userId.slice(1).split(":")[0];
  const password = "SIR_Arthur_David";
  const ask = (guest_access_token: string, rest: object) =>
    request(server.url, "POST", `${CLIENT}/register`, { body: { password, guest_access_token, ...rest } });
  const auth = { type: "m.login.dummy" };
  assert.deepEqual((await ask(other.token, { username, auth })).body.errcode, "M_FORBIDDEN");
  assert.deepEqual((await ask(bob.token, { username: "bob", auth })).body.errcode, "M_FORBIDDEN");
  assert.deepEqual((await ask("nonsense", { username, auth })).body.errcode, "M_FORBIDDEN");
  assert.deepEqual((await ask(guest.token, { auth })).body.errcode, "M_MISSING_PARAM");
  assert.equal((await ask(guest.token, { username })).status, 401);
  const { status, body } = await ask(guest.token, { username, auth });
  assert.deepEqual([status, body.user_id], [200, guest.userId]);
  const asked = await request(server.url, "GET", `${CLIENT}/joined_rooms`, { token: body.access_token });
  assert.deepEqual(asked.body.joined_rooms, [room.id]);
  // The session of before goes on, as one of the account that it is now.
  assert.equal((await guest.call("GET", `${CLIENT}/account/whoami`)).is_guest, false);
  await room.set(alice, ACCESS, { guest_access: "forbidden" });
  assert.equal(await membershipOf(room, guest.userId), "join");
  const login = { type: "m.login.password", identifier: { type: "m.id.user", user: username }, password };
  assert.equal((await request(server.url, "POST", `${CLIENT}/login`, { body: login })).status, 200);
  assert.deepEqual((await ask(guest.token, { username, auth })).body.errcode, "M_FORBIDDEN");
});

test("once guests are turned off, those who were there may do nothing", async () => {
  await using first = await startTestServer({ config: { guests: true } });
  const guest = await registerGuest(first.url);
  await using second = await startTestServer({ databaseUrl: first.databaseUrl });
  const { status, body } = await request(second.url, "GET", `${CLIENT}/sync`, { token: guest.token });
  assert.deepEqual([status, body.errcode], [403, "M_GUEST_ACCESS_FORBIDDEN"]);
  await registerPerson(second.url, "carol");
});
