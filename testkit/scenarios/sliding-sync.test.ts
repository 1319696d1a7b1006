// A client that others wrote, the SlidingSync of matrix-js-sdk with its Rust crypto, beside one that uses /sync.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "matrix-js-sdk";
import { startTown } from "../src/people.ts";

test("a client of sliding sync is invited, writes and reads what is encrypted, and misses nothing while it is away", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const bob = await town.person("bob", { isSliding: true });
  assert.equal(await bob.client.doesServerSupportUnstableFeature("org.matrix.simplified_msc3575"), true);
  const room = await alice.createRoom({ name: "the room", invite: [bob] });
  await bob.isInvited(room);
  await bob.joins(room);
  await alice.says(room, "hello bob");
  assert.equal((await bob.hears(room, "hello bob")).getWireType(), "m.room.encrypted");
  await bob.says(room, "hello alice");
  await alice.hears(room, "hello alice");
  assert.equal(bob.room(room).name, "the room");

  await bob.close();
  for (const each of ["one", "two", "three"]) await alice.says(room, each);
  await bob.reopen();
  // Of a room that is told anew the SDK decrypts the last message by itself, and the others when somebody looks.
  await bob.hears(room, "three");
  await bob.room(room).decryptAllEvents();
  await bob.shows(room, ["hello bob", "hello alice", "one", "two", "three"]);

  await alice.client.kick(room, bob.userId, "bye");
  await bob.until("it is put out", (client) => client.getRoom(room)?.getMyMembership() === "leave");
});

test("a client of sliding sync goes on at a process that was started anew, and is told of typing, receipts and settings", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const bob = await town.person("bob", { isSliding: true });
  const room = await alice.createRoom({ invite: [bob], encrypted: false });
  await bob.joins(room);
  await alice.says(room, "before");
  await bob.hears(room, "before");
  await town.restartServer();
  await alice.says(room, "after");
  await bob.hears(room, "after");
  assert.deepEqual(bob.texts(room), ["before", "after"]);

  await alice.client.sendTyping(room, true, 30_000);
  await bob.until("alice types", (client) => client.getRoom(room)?.getMember(alice.userId)?.typing);
  const said = await bob.says(room, "said");
  const event = await alice.hears(room, "said");
  await alice.client.sendReadReceipt(event);
  await bob.until("alice has read", (client) => client.getRoom(room)?.hasUserReadEvent(alice.userId, said));
  await alice.says(room, "more");
  await bob.until("its count", (client) => client.getRoom(room)?.getUnreadNotificationCount() === 1);
  await bob.client.setRoomTag(room, "m.favourite", {});
  await bob.until("the tag", (client) => client.getRoom(room)?.tags["m.favourite"]);
});

test("a second device has all rooms with its first answer, and each device hears the other", async () => {
  await using town = await startTown();
  const bob = await town.person("bob", { isSliding: true });
  const rooms = [];
  for (let i = 0; i < 5; i++) rooms.push(await bob.createRoom({ name: `room ${i}`, encrypted: i % 2 === 0 }));
  const laptop = await bob.device("laptop");
  const names = (client: sdk.MatrixClient) => client.getRooms().map(({ name }) => name);
  await laptop.until("all rooms", (client) => names(client).length === rooms.length);
  assert.deepEqual(
    names(laptop.client).toSorted((a, b) => a.localeCompare(b)),
    rooms.map((_, i) => `room ${i}`),
  );
  await laptop.says(rooms[0] as string, "from the laptop");
  await bob.hears(rooms[0] as string, "from the laptop");
});
