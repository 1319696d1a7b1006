import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { leaveAllRooms } from "./membership.ts";

const CLIENT = "/_matrix/client/v3";
const { server, alice, bob, carol } = await startNeighbours(["alice", "bob", "carol"], {
  config: { roles: ["auth", "messages"] },
});

type Room = { id: string; path: string };

async function newRoom(options: object = {}, creator = alice): Promise<Room> {
  const { room_id } = await creator.call("POST", `${CLIENT}/createRoom`, options);
  return { id: room_id as string, path: `${CLIENT}/rooms/${encodeURIComponent(room_id as string)}` };
}

const publicRoom = () => newRoom({ preset: "public_chat" });

/** The person's current membership event, as alice sees it. */
function memberOf(room: Room, { userId }: Person): Promise<Json> {
  return alice.call("GET", `${room.path}/state/m.room.member/${userId}?format=event`);
}

async function refused(answer: Promise<{ status: number; body: Json }>, status: number, errcode: string) {
  const { status: is, body } = await answer;
  assert.deepEqual({ status: is, errcode: body.errcode }, { status, errcode });
}

test("a public room is joined by its id, with the profile's name and picture and the reason", async () => {
  await bob.call("PUT", `${CLIENT}/profile/${bob.userId}/displayname`, { displayname: "Bob" });
  await bob.call("PUT", `${CLIENT}/profile/${bob.userId}/avatar_url`, { avatar_url: "mxc://localhost/bob" });
  const room = await publicRoom();
  const answer = await bob.call("POST", `${CLIENT}/join/${encodeURIComponent(room.id)}`, { reason: "curious" });
  assert.deepEqual(answer, { room_id: room.id });
  assert.deepEqual((await memberOf(room, bob)).content, {
    membership: "join",
    displayname: "Bob",
    avatar_url: "mxc://localhost/bob",
    reason: "curious",
  });
});

test("what else a client says as it joins is in its membership event, but not what is the server's to say", async () => {
  const room = await publicRoom();
  const more = { "org.example": "bar", membership: "ban", displayname: "Eve", third_party_invite: {} };
  await carol.call("POST", `${CLIENT}/join/${encodeURIComponent(room.id)}`, more);
  const { content } = await memberOf(room, carol);
  assert.deepEqual(content, { membership: "join", displayname: "carol", "org.example": "bar" });
  await refused(bob.ask("POST", `${room.path}/join`, { "org.example": 1.5 }), 400, "M_BAD_JSON");
  await refused(bob.ask("POST", `${room.path}/join`, { "org.example": "x".repeat(70_000) }), 413, "M_TOO_LARGE");
});

test("joining again changes nothing", async () => {
  const room = await publicRoom();
  await bob.call("POST", `${room.path}/join`, {});
  const first = await memberOf(room, bob);
  await bob.call("POST", `${room.path}/join`, { reason: "again" });
  assert.equal((await memberOf(room, bob)).event_id, first.event_id);
});

test("a private room lets in who is invited and nobody else", async () => {
  const room = await newRoom({ invite: [bob.userId] });
  await refused(carol.ask("POST", `${room.path}/join`, {}), 403, "M_FORBIDDEN");
  await bob.call("POST", `${room.path}/join`, {});
  assert.equal((await memberOf(room, bob)).content.membership, "join");
});

test("a room that does not exist is not found", async () => {
  await refused(alice.ask("POST", `${CLIENT}/join/!${"x".repeat(43)}`, {}), 404, "M_NOT_FOUND");
});

test("signatures of an identity server are refused plainly", async () => {
  const room = await publicRoom();
  const third_party_signed = { sender: alice.userId, mxid: bob.userId, token: "t", signatures: {} };
  await refused(bob.ask("POST", `${room.path}/join`, { third_party_signed }), 403, "M_THREEPID_DENIED");
});

test("an invitation carries the profile of the invited person, and inviting again changes nothing", async () => {
  const room = await newRoom();
  await alice.call("POST", `${room.path}/invite`, { user_id: bob.userId, reason: "come in" });
  const first = await memberOf(room, bob);
  assert.equal(first.sender, alice.userId);
  assert.deepEqual(first.content, {
    membership: "invite",
    displayname: "Bob",
    avatar_url: "mxc://localhost/bob",
    reason: "come in",
  });
  await alice.call("POST", `${room.path}/invite`, { user_id: bob.userId });
  assert.equal((await memberOf(room, bob)).event_id, first.event_id);
});

test("invitations need a member with the power to invite, and somebody who is not there yet", async () => {
  const room = await publicRoom();
  await refused(bob.ask("POST", `${room.path}/invite`, { user_id: carol.userId }), 403, "M_FORBIDDEN");
  await bob.call("POST", `${room.path}/join`, {});
  await refused(bob.ask("POST", `${room.path}/invite`, { user_id: carol.userId }), 403, "M_FORBIDDEN");
  await refused(alice.ask("POST", `${room.path}/invite`, { user_id: bob.userId }), 403, "M_FORBIDDEN");
});

test("nobody can be invited who has no account here", async () => {
  const room = await newRoom();
  await refused(alice.ask("POST", `${room.path}/invite`, { user_id: "@nobody:localhost" }), 404, "M_NOT_FOUND");
  await refused(alice.ask("POST", `${room.path}/invite`, { user_id: "@bob:elsewhere.org" }), 403, "M_FORBIDDEN");
  await refused(alice.ask("POST", `${room.path}/invite`, { user_id: "bob" }), 400, "M_INVALID_PARAM");
  await refused(alice.ask("POST", `${room.path}/invite`, {}), 400, "M_MISSING_PARAM");
  const byMail = { medium: "email", address: "a@b.c", id_server: "id.example.org", id_access_token: "t" };
  await refused(alice.ask("POST", `${room.path}/invite`, byMail), 403, "M_THREEPID_DENIED");
});

test("a path that names neither a room id nor an alias is told so", async () => {
  for (const verb of ["join", "knock"])
    for (const name of ["nonsense", "#nonsense", "@bob:localhost"])
      await refused(alice.ask("POST", `${CLIENT}/${verb}/${encodeURIComponent(name)}`, {}), 400, "M_INVALID_PARAM");
});

test("who blocks invitations is invited neither directly, nor with a room, nor through the state", async () => {
  const dora = await registerPerson(server.url, "dora");
  const config = `${CLIENT}/user/${dora.userId}/account_data/m.invite_permission_config`;
  await dora.call("PUT", config, { default_action: "block" });
  const room = await newRoom();
  const state = `${room.path}/state/m.room.member/${dora.userId}`;
  await refused(alice.ask("POST", `${room.path}/invite`, { user_id: dora.userId }), 403, "M_INVITE_BLOCKED");
  await refused(alice.ask("POST", `${CLIENT}/createRoom`, { invite: [dora.userId] }), 403, "M_INVITE_BLOCKED");
  await refused(alice.ask("PUT", state, { membership: "invite" }), 403, "M_INVITE_BLOCKED");
  await dora.call("PUT", config, {});
  await alice.call("POST", `${room.path}/invite`, { user_id: dora.userId });
});

test("an invitation is declined by leaving, and leaving twice is leaving once", async () => {
  const room = await newRoom({ invite: [bob.userId] });
  await bob.call("POST", `${room.path}/leave`, { reason: "no time" });
  const left = await memberOf(room, bob);
  assert.deepEqual(left.content, { membership: "leave", reason: "no time" });
  assert.equal(left.unsigned.prev_content.membership, "invite");
  await bob.call("POST", `${room.path}/leave`, {});
  assert.equal((await memberOf(room, bob)).event_id, left.event_id);
  await refused(carol.ask("POST", `${room.path}/leave`, {}), 403, "M_FORBIDDEN");
});

test("a kick takes a member out who has less power, and nobody else", async () => {
  const room = await publicRoom();
  await bob.call("POST", `${room.path}/join`, {});
  await carol.call("POST", `${room.path}/join`, {});
  await refused(bob.ask("POST", `${room.path}/kick`, { user_id: carol.userId }), 403, "M_FORBIDDEN");
  await refused(bob.ask("POST", `${room.path}/kick`, { user_id: alice.userId }), 403, "M_FORBIDDEN");
  await alice.call("POST", `${room.path}/kick`, { user_id: bob.userId, reason: "noise" });
  const kicked = await memberOf(room, bob);
  assert.deepEqual(kicked.content, { membership: "leave", reason: "noise" });
  assert.equal(kicked.sender, alice.userId);
  await refused(alice.ask("POST", `${room.path}/kick`, { user_id: bob.userId }), 403, "M_FORBIDDEN");
  assert.equal((await memberOf(room, bob)).event_id, kicked.event_id);
});

test("a kick never lifts a ban, and an unban never removes a member", async () => {
  const room = await publicRoom();
  await bob.call("POST", `${room.path}/join`, {});
  await refused(alice.ask("POST", `${room.path}/unban`, { user_id: bob.userId }), 403, "M_BAD_STATE");
  assert.equal((await memberOf(room, bob)).content.membership, "join");
  await alice.call("POST", `${room.path}/ban`, { user_id: bob.userId });
  await refused(alice.ask("POST", `${room.path}/kick`, { user_id: bob.userId }), 403, "M_FORBIDDEN");
  assert.equal((await memberOf(room, bob)).content.membership, "ban");
});

test("who is banned can neither join nor be invited until the ban is lifted", async () => {
  const room = await publicRoom();
  await bob.call("POST", `${room.path}/join`, {});
  await refused(bob.ask("POST", `${room.path}/ban`, { user_id: carol.userId }), 403, "M_FORBIDDEN");
  await alice.call("POST", `${room.path}/ban`, { user_id: bob.userId, reason: "spam" });
  assert.deepEqual((await memberOf(room, bob)).content, { membership: "ban", reason: "spam" });
  await alice.call("POST", `${room.path}/ban`, { user_id: bob.userId });
  await refused(bob.ask("POST", `${room.path}/join`, {}), 403, "M_FORBIDDEN");
  await refused(bob.ask("POST", `${room.path}/leave`, {}), 403, "M_FORBIDDEN");
  await refused(alice.ask("POST", `${room.path}/invite`, { user_id: bob.userId }), 403, "M_FORBIDDEN");
  await refused(carol.ask("POST", `${room.path}/unban`, { user_id: bob.userId }), 403, "M_FORBIDDEN");
  await alice.call("POST", `${room.path}/unban`, { user_id: bob.userId });
  await bob.call("POST", `${room.path}/join`, {});
});

test("a knock is taken where the room takes knocks, and answered by an invitation", async () => {
  const knockable = { initial_state: [{ type: "m.room.join_rules", content: { join_rule: "knock" } }] };
  const [room, closed] = [await newRoom(knockable), await newRoom()];
  const knockOn = ({ id }: Room) => `${CLIENT}/knock/${encodeURIComponent(id)}`;
  await refused(bob.ask("POST", knockOn(closed), {}), 403, "M_FORBIDDEN");
  assert.deepEqual(await bob.call("POST", knockOn(room), { reason: "let me in" }), { room_id: room.id });
  const knocked = await memberOf(room, bob);
  assert.equal(knocked.content.membership, "knock");
  assert.equal(knocked.content.reason, "let me in");
  await bob.call("POST", knockOn(room), {});
  assert.equal((await memberOf(room, bob)).event_id, knocked.event_id);
  await refused(bob.ask("POST", `${room.path}/join`, {}), 403, "M_FORBIDDEN");
  await alice.call("POST", `${room.path}/invite`, { user_id: bob.userId });
  await bob.call("POST", `${room.path}/join`, {});
  await refused(bob.ask("POST", knockOn(room), {}), 403, "M_FORBIDDEN");
});

test("a restricted room lets in the members of the rooms that it lists, in the name of a member who may invite", async () => {
  const space = await publicRoom();
  const allow = [{ type: "m.room_membership", room_id: space.id }];
  const restricted = { type: "m.room.join_rules", content: { join_rule: "restricted", allow } };
  const room = await newRoom({ initial_state: [restricted] });
  await refused(bob.ask("POST", `${room.path}/join`, {}), 403, "M_FORBIDDEN");
  await bob.call("POST", `${space.path}/join`, {});
  await bob.call("POST", `${room.path}/join`, {});
  assert.equal((await memberOf(room, bob)).content.join_authorised_via_users_server, alice.userId);
  await bob.call("POST", `${room.path}/leave`, {});
  await bob.call("POST", `${space.path}/leave`, {});
  await refused(bob.ask("POST", `${room.path}/join`, {}), 403, "M_FORBIDDEN");
});

test("a restricted room without a member who may invite says that nobody can let people in", async () => {
  const space = await publicRoom();
  const allow = [{ type: "m.room_membership", room_id: space.id }];
  const restricted = { type: "m.room.join_rules", content: { join_rule: "restricted", allow } };
  const room = await newRoom({ initial_state: [restricted], room_version: "11", invite: [carol.userId] });
  await carol.call("POST", `${room.path}/join`, {});
  const levels = await alice.call("GET", `${room.path}/state/m.room.power_levels/`);
  await alice.call("PUT", `${room.path}/state/m.room.power_levels/`, { ...levels, invite: 100 });
  await alice.call("POST", `${room.path}/leave`, {});
  await bob.call("POST", `${space.path}/join`, {});
  const { status, body } = await bob.ask("POST", `${room.path}/join`, {});
  assert.deepEqual([status, body.errcode], [403, "M_FORBIDDEN"]);
  assert.match(body.error, /Nobody in this room/);
});

test("a room can be forgotten once it is left, and its history is gone with it", async () => {
  const room = await publicRoom();
  await bob.call("POST", `${room.path}/join`, {});
  await refused(bob.ask("POST", `${room.path}/forget`, {}), 400, "M_UNKNOWN");
  await bob.call("POST", `${room.path}/leave`, {});
  assert.equal((await bob.ask("GET", `${room.path}/state`)).status, 200);
  await bob.call("POST", `${room.path}/forget`, {});
  await bob.call("POST", `${room.path}/forget`, {});
  await refused(bob.ask("GET", `${room.path}/state`), 403, "M_FORBIDDEN");
  await refused(carol.ask("POST", `${room.path}/forget`, {}), 400, "M_UNKNOWN");
});

test("the joined rooms are those that the person is in now", async () => {
  const erin = await registerPerson(server.url, "erin");
  const [stayed, left, invited] = [await publicRoom(), await publicRoom(), await newRoom({ invite: [erin.userId] })];
  for (const room of [stayed, left]) await erin.call("POST", `${room.path}/join`, {});
  await erin.call("POST", `${left.path}/leave`, {});
  assert.deepEqual(await erin.call("GET", `${CLIENT}/joined_rooms`), { joined_rooms: [stayed.id] });
  await erin.call("POST", `${invited.path}/join`, {});
  const { joined_rooms } = await erin.call("GET", `${CLIENT}/joined_rooms`);
  assert.deepEqual(joined_rooms.toSorted(), [stayed.id, invited.id].toSorted());
});

test("a new display name reaches the rooms that the person is in, and no other", async () => {
  const finn = await registerPerson(server.url, "finn");
  const [inside, outside] = [await publicRoom(), await publicRoom()];
  for (const room of [inside, outside]) await finn.call("POST", `${room.path}/join`, {});
  await finn.call("POST", `${outside.path}/leave`, {});
  await finn.call("PUT", `${CLIENT}/profile/${finn.userId}/displayname`, { displayname: "Finn" });
  assert.equal((await memberOf(inside, finn)).content.displayname, "Finn");
  assert.deepEqual((await memberOf(outside, finn)).content, { membership: "leave" });
  await finn.call("PUT", `${CLIENT}/profile/${finn.userId}/displayname`, { displayname: "" });
  assert.equal("displayname" in (await memberOf(inside, finn)).content, false);
});

test("an account that ends leaves every room, declines its invitations, and stays banned where it was", async () => {
  const gina = await registerPerson(server.url, "gina");
  const rooms = [await publicRoom(), await publicRoom(), await publicRoom()] as const;
  for (const room of rooms) await gina.call("POST", `${room.path}/join`, {});
  const invited = await newRoom({ invite: [gina.userId] });
  await alice.call("POST", `${rooms[2].path}/ban`, { user_id: gina.userId });
  await leaveAllRooms(server.ctx, gina.userId);
  const all = [...rooms, invited].map(async (room) => (await memberOf(room, gina)).content.membership);
  assert.deepEqual(await Promise.all(all), ["leave", "leave", "ban", "leave"]);
});
