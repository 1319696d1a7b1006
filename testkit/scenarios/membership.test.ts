import assert from "node:assert/strict";
import { test } from "node:test";
import { SYNCED_EVENTS } from "../src/device.ts";
import { registerPerson } from "../src/http.ts";
import { startTown } from "../src/people.ts";
import { MatrixError, Preset, Visibility } from "matrix-js-sdk";

/** Specification: "Room summary": at most five. */
const HEROES = 5;

const isForbidden = (error: unknown) => error instanceof MatrixError && error.errcode === "M_FORBIDDEN";

test("somebody is invited, joins, leaves, comes back and is removed, and both sides see it", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const bob = await town.person("bob");
  const room = await alice.createRoom({ name: "The kitchen" });
  await assert.rejects(bob.joins(room), isForbidden);

  await alice.invites(room, bob);
  await bob.isInvited(room);
  assert.equal(bob.room(room).name, "The kitchen");
  await bob.joins(room);
  await alice.sees(room, bob, "join");

  await bob.client.leave(room);
  await alice.sees(room, bob, "leave");
  await assert.rejects(bob.says(room, "still here"), isForbidden);

  await alice.invites(room, bob);
  await bob.isInvited(room);
  await bob.joins(room);
  await alice.client.kick(room, bob.userId, "too loud");
  await bob.sees(room, bob, "leave");
  const member = bob.room(room).getMember(bob.userId)?.events.member;
  assert.deepEqual([member?.getSender(), member?.getContent().reason], [alice.userId, "too loud"]);
  await assert.rejects(bob.joins(room), isForbidden);
});

test("who joins reads what is said from then on, and nothing that was encrypted before", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const bob = await town.person("bob");
  const carol = await town.person("carol");
  const room = await alice.createRoom({ invite: [bob] });
  await bob.joins(room);
  await alice.says(room, "before carol");
  await bob.hears(room, "before carol");

  await bob.invites(room, carol);
  await carol.isInvited(room);
  await carol.joins(room);
  await alice.sees(room, carol, "join");
  await alice.says(room, "welcome carol");
  await carol.hears(room, "welcome carol");
  await carol.says(room, "thank you");
  await alice.hears(room, "thank you");
  await bob.hears(room, "thank you");
  await carol.shows(room, ["✗", "welcome carol", "thank you"]);
});

test("who left is no longer written to: what is said after that is closed to them", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const bob = await town.person("bob");
  const room = await alice.createRoom({ invite: [bob] });
  await bob.joins(room);
  await alice.says(room, "with bob");
  await bob.hears(room, "with bob");
  await bob.client.leave(room);
  await alice.sees(room, bob, "leave");
  await alice.says(room, "without bob");

  await alice.invites(room, bob);
  await bob.isInvited(room);
  await bob.joins(room);
  await alice.sees(room, bob, "join");
  await alice.says(room, "with bob again");
  await bob.hears(room, "with bob again");
  assert.ok(!bob.texts(room).includes("without bob"), bob.texts(room).join());
});

test("a room of the directory is found by its name and joined by its alias", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const bob = await town.person("bob");
  const id = await alice.createRoom({
    preset: Preset.PublicChat,
    visibility: Visibility.Public,
    name: "Gardeners of the town",
    topic: "Roses",
    room_alias_name: "garden",
    encrypted: false,
  });
  const { chunk } = await bob.client.publicRooms({ filter: { generic_search_term: "gardeners" } });
  const [found] = chunk;
  assert.deepEqual([chunk.length, found?.room_id, found?.topic], [1, id, "Roses"]);
  assert.equal(await bob.joins(found?.canonical_alias ?? "#garden:localhost"), id);
  assert.equal(bob.room(id).getCanonicalAlias(), "#garden:localhost");
  await bob.says(id, "what a nice place");
  await alice.hears(id, "what a nice place");
});

test("of a large room only the members who matter are loaded, and the rest when they are asked for", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const room = await alice.createRoom({ preset: Preset.PublicChat, encrypted: false });
  const crowd = await Promise.all(Array.from({ length: 9 }, (_, i) => registerPerson(town.url, `someone${i}`)));
  for (const person of crowd) await person.call("POST", `/_matrix/client/v3/join/${encodeURIComponent(room)}`, {});
  for (let i = 0; i < SYNCED_EVENTS; i++) await alice.says(room, `news ${i}`);

  const laptop = await alice.device("laptop");
  const known = () =>
    laptop
      .room(room)
      .getJoinedMembers()
      .map((member) => member.userId);
  const everybody = [alice, ...crowd].map((each) => each.userId);
  // Those after whom a room without a name is called, and who speaks.
  assert.equal(known().length, HEROES + 1);
  assert.ok(known().includes(alice.userId));
  assert.equal(laptop.room(room).getJoinedMemberCount(), everybody.length);

  await laptop.room(room).loadMembersIfNeeded();
  assert.deepEqual(known().toSorted(), everybody.toSorted());
});
