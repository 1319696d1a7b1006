import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json, Person } from "../../../../testkit/src/http.ts";
import { startTestServer } from "../../../../testkit/src/server.ts";
import { listed, said, slide, slidingPath, stateOf } from "../../../../testkit/src/sliding.ts";
import { createRoom, people, roomOf, roomPath, say } from "../../../../testkit/src/syncing.ts";

test("a list shows the rooms of its window, the latest activity first, and counts all", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const rooms: string[] = [];
  for (let i = 0; i < 4; i++) rooms.push(await createRoom(alice, { name: `room ${i}` }));
  await say(alice, rooms[1] as string, "hello");
  const answer = await slide(alice, listed({ ranges: [[0, 1]] }));
  assert.equal(answer.lists.all.count, 4);
  assert.deepEqual(answer.lists.all.ops, [{ op: "SYNC", range: [0, 1], room_ids: [rooms[1], rooms[3]] }]);
  assert.deepEqual(Object.keys(answer.rooms).toSorted(), rooms.filter((_, i) => i % 2 === 1).toSorted());
  const room = answer.rooms[rooms[1] as string];
  assert.equal(room.name, "room 1");
  assert.equal(room.initial, true);
  assert.equal(room.membership, "join");
  assert.deepEqual(room.lists, ["all"]);
  assert.deepEqual(said(room), ["hello"]);
  assert.equal(room.limited, true);
  assert.equal(room.num_live, 0);
  assert.equal(room.joined_count, 1);
  assert.equal(room.invited_count, 0);
  assert.equal(room.heroes, undefined);
  const older = await alice.call("GET", roomPath(rooms[1] as string, `messages?dir=b&limit=1&from=${room.prev_batch}`));
  assert.equal(older.chunk[0].type, "m.room.name");
});

test("an answer that follows tells what is new, and nothing that the client has", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const ask = listed({ state: [["m.room.topic", ""]] });
  const first = await slide(bob, ask);
  assert.deepEqual((await slide(bob, ask, { pos: first.pos })).rooms, {});
  await say(alice, roomId, "news");
  await alice.call("PUT", roomPath(roomId, "state/m.room.topic/"), { topic: "a topic" });
  const second = await slide(bob, ask, { pos: first.pos });
  const room = second.rooms[roomId];
  assert.deepEqual(stateOf(room), ["m.room.topic"]);
  assert.equal(room.limited, true);
  assert.equal(room.num_live, 1);
  assert.equal(room.initial, undefined);
  assert.equal(room.name, undefined);
  assert.equal(room.notification_count, 1);
  // The message is not in the timeline, and still the latest after which rooms are sorted.
  assert.ok(room.bump_stamp > first.rooms[roomId].bump_stamp);
  assert.deepEqual((await slide(bob, ask, { pos: first.pos })).rooms, second.rooms);
  assert.deepEqual((await slide(bob, ask, { pos: second.pos })).rooms, {});
});

test("a request waits for news, and its answer counts what is live", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const first = await slide(bob, listed());
  const waiting = slide(bob, listed(), { pos: first.pos, timeout: 20_000 });
  await say(alice, roomId, "hello");
  const answer = await waiting;
  assert.deepEqual(said(answer.rooms[roomId]), ["hello"]);
  assert.equal(answer.rooms[roomId].num_live, 1);
  assert.equal(answer.rooms[roomId].limited, false);
  const quiet = await slide(bob, listed(), { pos: answer.pos, timeout: 30 });
  assert.deepEqual(quiet.rooms, {});
});

test("a room that comes into the window is told anew once, and from where the client had it when it comes back", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const one = await createRoom(alice, { name: "one" });
  const two = await createRoom(alice, { name: "two" });
  const ask = listed({ ranges: [[0, 0]], limit: 5 });
  const first = await slide(alice, ask);
  assert.deepEqual(Object.keys(first.rooms), [two]);
  await say(alice, one, "up");
  const second = await slide(alice, ask, { pos: first.pos });
  assert.equal(second.rooms[one].initial, true);
  assert.equal(second.rooms[one].num_live, 1);
  assert.equal(second.rooms[two], undefined);
  // Two is out of the window: what happens there is told when it is back.
  await say(alice, two, "a");
  await say(alice, one, "b");
  const third = await slide(alice, ask, { pos: second.pos });
  assert.deepEqual(Object.keys(third.rooms), [one]);
  await say(alice, two, "c");
  const fourth = await slide(alice, ask, { pos: third.pos });
  assert.deepEqual(Object.keys(fourth.rooms), [two]);
  assert.equal(fourth.rooms[two].initial, undefined);
  assert.deepEqual(said(fourth.rooms[two]), ["a", "c"]);
  assert.equal(fourth.rooms[two].num_live, 1);
});

test("subscriptions show rooms beside the lists, with the most that any rule asks for", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const hidden = await createRoom(alice, { name: "hidden" });
  const shown = await createRoom(alice, { name: "shown" });
  for (const each of ["a", "b", "c"]) for (const roomId of [hidden, shown]) await say(alice, roomId, each);
  const subscription = { timeline_limit: 2, required_state: [["m.room.create", ""]] };
  const room_subscriptions = { [hidden]: subscription, [shown]: subscription, "!nowhere:x": subscription };
  const answer = await slide(alice, listed({ ranges: [[0, 0]], state: [["m.room.name", ""]] }, { room_subscriptions }));
  assert.deepEqual(Object.keys(answer.rooms).toSorted(), [hidden, shown].toSorted());
  assert.deepEqual(said(answer.rooms[shown]), ["b", "c"]);
  assert.deepEqual(stateOf(answer.rooms[shown]), ["m.room.create", "m.room.name"]);
  assert.deepEqual(stateOf(answer.rooms[hidden]), ["m.room.create"]);
  assert.equal(answer.rooms[hidden].lists, undefined);
});

test("a larger timeline_limit tells the room further back at once, and not again when it comes and goes", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const roomId = await createRoom(alice);
  for (const each of ["a", "b", "c", "d"]) await say(alice, roomId, each);
  const first = await slide(alice, listed());
  const second = await slide(alice, listed({ limit: 3 }), { pos: first.pos, timeout: 20_000 });
  assert.deepEqual(said(second.rooms[roomId]), ["b", "c", "d"]);
  assert.equal(second.rooms[roomId].unstable_expanded_timeline, true);
  assert.equal(second.rooms[roomId].initial, undefined);
  assert.equal(second.rooms[roomId].num_live, 0);
  const third = await slide(alice, listed(), { pos: second.pos });
  const fourth = await slide(alice, listed({ limit: 3 }), { pos: third.pos });
  assert.deepEqual([third.rooms, fourth.rooms], [{}, {}]);
  // After a gap it is told further back again.
  await say(alice, roomId, "e");
  await say(alice, roomId, "f");
  const gap = await slide(alice, listed(), { pos: fourth.pos });
  assert.deepEqual([said(gap.rooms[roomId]), gap.rooms[roomId].limited], [["f"], true]);
  const wide = await slide(alice, listed({ limit: 3 }), { pos: gap.pos });
  assert.deepEqual(said(wide.rooms[roomId]), ["d", "e", "f"]);
});

test("more required_state is told at once, and state that was passed over is told when it is asked for again", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const roomId = await createRoom(alice, { name: "named", topic: "first" });
  const narrow = listed({ state: [["m.room.name", ""]] });
  const wide = listed({
    state: [
      ["m.room.name", ""],
      ["m.room.topic", ""],
    ],
  });
  const first = await slide(alice, narrow);
  assert.deepEqual(stateOf(first.rooms[roomId]), ["m.room.name"]);
  const second = await slide(alice, wide, { pos: first.pos });
  assert.deepEqual(stateOf(second.rooms[roomId]), ["m.room.topic"]);
  const third = await slide(alice, narrow, { pos: second.pos });
  const fourth = await slide(alice, wide, { pos: third.pos });
  assert.deepEqual([third.rooms, fourth.rooms], [{}, {}]);
  await alice.call("PUT", roomPath(roomId, "state/m.room.topic/"), { topic: "second" });
  const fifth = await slide(alice, narrow, { pos: fourth.pos });
  assert.deepEqual(stateOf(fifth.rooms[roomId]), []);
  const sixth = await slide(alice, wide, { pos: fifth.pos });
  assert.deepEqual(stateOf(sixth.rooms[roomId]), ["m.room.topic"]);
});

test("required_state knows $ME, $LAZY and *", async () => {
  await using server = await startTestServer();
  const [alice, bob, carol] = (await people(server, "alice", "bob", "carol")) as [Person, Person, Person];
  const roomId = await roomOf(alice, bob, carol);
  await say(bob, roomId, "hello");
  const member = (person: Person) => `m.room.member ${person.userId}`;
  const ask = async (...state: [string, string][]) => stateOf((await slide(alice, listed({ state }))).rooms[roomId]);
  assert.deepEqual(await ask(["m.room.member", "$ME"]), [member(alice)]);
  assert.deepEqual(await ask(["m.room.member", "$LAZY"]), [member(bob)]);
  assert.deepEqual(await ask(["m.room.member", "*"]), [alice, bob, carol].map(member));
  assert.deepEqual(await ask(["m.room.member", carol.userId]), [member(carol)]);
  const all = await ask(["*", "*"]);
  assert.ok(all.includes("m.room.create") && all.includes(member(carol)));
  const lazy = await ask(["*", "*"], ["m.room.member", "$LAZY"]);
  assert.deepEqual(
    all.filter((each) => !lazy.includes(each)),
    [alice, carol].map(member),
  );
  assert.deepEqual(await ask(["*", bob.userId]), [member(bob)]);
});

test("lazily loaded members are told once, and again where they changed", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const ask = listed({ state: [["m.room.member", "$LAZY"]] });
  const first = await slide(alice, ask);
  await say(bob, roomId, "one");
  const second = await slide(alice, ask, { pos: first.pos });
  assert.deepEqual(stateOf(second.rooms[roomId]), []);
  // An answer that did not arrive counts for nothing.
  await alice.call("PUT", roomPath(roomId, "send/m.room.message/own"), { msgtype: "m.text", body: "two" });
  for (let i = 0; i < 2; i++)
    assert.deepEqual(stateOf((await slide(alice, ask, { pos: second.pos })).rooms[roomId]), [
      `m.room.member ${alice.userId}`,
    ]);
  await bob.call("PUT", `/_matrix/client/v3/profile/${bob.userId}/displayname`, { displayname: "Robert" });
  const third = await slide(alice, ask, { pos: second.pos });
  assert.ok(stateOf(third.rooms[roomId]).includes(`m.room.member ${bob.userId}`));
});

test("invitations and knocks are told by their stripped state, and joining tells the room anew", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const open = await createRoom(alice, {
    name: "open",
    room_version: "11",
    initial_state: [{ type: "m.room.join_rules", state_key: "", content: { join_rule: "knock" } }],
  });
  await bob.call("POST", `/_matrix/client/v3/knock/${encodeURIComponent(open)}`, {});
  const roomId = await createRoom(alice, { name: "secret", invite: [bob.userId] });
  await say(alice, roomId, "not for bob yet");
  const first = await slide(bob, listed({ limit: 10, state: [["*", "*"]] }));
  for (const [each, membership] of [
    [roomId, "invite"],
    [open, "knock"],
  ] as const) {
    const room = first.rooms[each];
    assert.equal(room.membership, membership);
    assert.equal(room.initial, true);
    assert.deepEqual([room.timeline, room.required_state, room.limited, room.prev_batch], Array(4).fill(undefined));
    assert.ok(room.invite_state.some(({ type }: Json) => type === "m.room.name"));
    assert.deepEqual(room.stripped_state, room.invite_state);
  }
  const invites = await slide(bob, listed({ filters: { is_invite: true } }));
  assert.deepEqual(Object.keys(invites.rooms), [roomId]);
  await bob.call("POST", roomPath(roomId, "join"), {});
  const second = await slide(bob, listed({ limit: 10, state: [["m.room.name", ""]] }), { pos: first.pos });
  assert.deepEqual([second.rooms[roomId].initial, second.rooms[roomId].membership], [true, "join"]);
  assert.deepEqual(stateOf(second.rooms[roomId]), ["m.room.name"]);
  assert.equal(second.rooms[open], undefined);
});

test("leaving is told once to a client that had the room; being put out stays in the list", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const left = await roomOf(alice, bob);
  const kicked = await roomOf(alice, bob);
  const ask = listed({
    limit: 5,
    state: [
      ["m.room.topic", ""],
      ["m.room.member", "$ME"],
    ],
  });
  const first = await slide(bob, ask);
  await bob.call("POST", roomPath(left, "leave"), {});
  await alice.call("POST", roomPath(kicked, "kick"), { user_id: bob.userId });
  for (const each of [left, kicked]) {
    await say(alice, each, "behind his back");
    await alice.call("PUT", roomPath(each, "state/m.room.topic/"), { topic: "behind his back" });
  }
  const second = await slide(bob, ask, { pos: first.pos });
  for (const each of [left, kicked]) {
    const room = second.rooms[each];
    assert.equal(room.membership, "leave");
    assert.deepEqual(said(room), []);
    assert.deepEqual(stateOf(room), [`m.room.member ${bob.userId}`]);
    assert.equal(room.timeline.at(-1).content.membership, "leave");
    assert.equal(room.bump_stamp, second.rooms[each].bump_stamp);
  }
  const third = await slide(bob, ask, { pos: second.pos });
  assert.deepEqual(third.rooms, {});
  assert.equal(third.lists.all.count, 1);
  const anew = await slide(bob, ask);
  assert.deepEqual(Object.keys(anew.rooms), [kicked]);
  assert.deepEqual(stateOf(anew.rooms[kicked]), [`m.room.member ${bob.userId}`]);
  await alice.call("POST", roomPath(kicked, "ban"), { user_id: bob.userId });
  const banned = await slide(bob, ask, { pos: anew.pos });
  assert.equal(banned.rooms[kicked].membership, "ban");
  assert.deepEqual(said(banned.rooms[kicked]), []);
  // The ban stands behind what they may see of the room, which ends where they were put out.
  const again = await slide(bob, ask);
  assert.deepEqual(stateOf(again.rooms[kicked]), [`m.room.member ${bob.userId}`]);
  assert.deepEqual(said(again.rooms[kicked]), []);
  await bob.call("POST", roomPath(left, "forget"), {});
});

test("an invitation that was declined or withdrawn goes away, and tells nothing of the room", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const rooms = [await createRoom(alice, { invite: [bob.userId] }), await createRoom(alice, { invite: [bob.userId] })];
  const [declined, withdrawn] = rooms as [string, string];
  const ask = listed({ limit: 10, state: [["*", "*"]] });
  const first = await slide(bob, ask);
  await bob.call("POST", roomPath(declined, "leave"), {});
  await alice.call("POST", roomPath(withdrawn, "kick"), { user_id: bob.userId });
  const second = await slide(bob, ask, { pos: first.pos });
  for (const each of rooms) {
    assert.equal(second.rooms[each].membership, "leave");
    assert.deepEqual(stateOf(second.rooms[each]), [`m.room.member ${bob.userId}`]);
    assert.equal(second.rooms[each].timeline.length, 1);
  }
  const third = await slide(bob, ask, { pos: second.pos });
  assert.deepEqual([third.rooms, third.lists.all.count], [{}, 0]);
  const subscription = { timeline_limit: 10, required_state: [["*", "*"]] };
  const asked = await slide(bob, { room_subscriptions: { [declined]: subscription } });
  assert.deepEqual(stateOf(asked.rooms[declined]), [`m.room.member ${bob.userId}`]);
  assert.equal(asked.rooms[declined].name, undefined);
});

test("who leaves and comes back sees the room anew", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await createRoom(alice, { preset: "public_chat" });
  await bob.call("POST", roomPath(roomId, "join"), {});
  const first = await slide(bob, listed({ limit: 3 }));
  await bob.call("POST", roomPath(roomId, "leave"), {});
  await bob.call("POST", roomPath(roomId, "join"), {});
  const second = await slide(bob, listed({ limit: 3 }), { pos: first.pos });
  assert.equal(second.rooms[roomId].initial, true);
});

test("names and pictures that go away are told as null, and rooms without a name by their heroes", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  await bob.call("PUT", `/_matrix/client/v3/profile/${bob.userId}/displayname`, { displayname: "Bob" });
  const roomId = await roomOf(alice, bob);
  const first = (await slide(alice, listed())).rooms[roomId];
  assert.deepEqual(first.heroes, [{ user_id: bob.userId, displayname: "Bob" }]);
  await alice.call("PUT", roomPath(roomId, "state/m.room.name/"), { name: "named" });
  await alice.call("PUT", roomPath(roomId, "state/m.room.avatar/"), { url: "mxc://x/y" });
  const named = await slide(alice, listed());
  assert.deepEqual([named.rooms[roomId].name, named.rooms[roomId].avatar], ["named", "mxc://x/y"]);
  assert.equal(named.rooms[roomId].heroes, undefined);
  await alice.call("PUT", roomPath(roomId, "state/m.room.name/"), { name: "" });
  await alice.call("PUT", roomPath(roomId, "state/m.room.avatar/"), {});
  const bare = (await slide(alice, listed(), { pos: named.pos })).rooms[roomId];
  assert.deepEqual([bare.name, bare.avatar], [null, null]);
  assert.equal(bare.heroes.length, 1);
});

test("what a client sends that is not right is refused with what to do", async () => {
  await using server = await startTestServer();
  const [alice] = (await people(server, "alice")) as [Person];
  const refused = async (body: object, slid = {}) => {
    const answer = await alice.ask("POST", slidingPath(slid), body);
    return [answer.status, answer.body.errcode];
  };
  assert.deepEqual(await refused({}, { pos: "nonsense" }), [400, "M_UNKNOWN_POS"]);
  assert.deepEqual(await refused({}, { pos: "s99_0_0_0" }), [400, "M_UNKNOWN_POS"]);
  assert.deepEqual(await refused({}, { pos: "s1_1_0_12345" }), [400, "M_UNKNOWN_POS"]);
  assert.deepEqual(await refused({}, { set_presence: "asleep" }), [400, "M_INVALID_PARAM"]);
  assert.deepEqual(await refused({}, { timeout: -1 }), [400, "M_INVALID_PARAM"]);
  assert.deepEqual(await refused(listed({ ranges: [[-1, 2]] })), [400, "M_BAD_JSON"]);
  assert.deepEqual(await refused({ lists: { all: { ranges: "all" } } }), [400, "M_BAD_JSON"]);
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`l${i}`, {}]));
  assert.deepEqual(await refused({ lists: many }), [400, "M_BAD_JSON"]);
  assert.deepEqual(await refused({ extensions: { to_device: { enabled: true, since: "x" } } }), [
    400,
    "M_INVALID_PARAM",
  ]);
  // No transaction id either: one that came back would tell older clients that they need not ask again.
  const answer = await slide(alice, { txn_id: "t", unknown: 1, extensions: { "org.example": {} } });
  assert.deepEqual(Object.keys(answer), ["pos", "lists", "rooms", "extensions"]);
});
