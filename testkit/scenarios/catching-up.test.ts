import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../server/src/limits.ts";
import { startTown } from "../src/people.ts";
import { NotificationCountType } from "matrix-js-sdk";

test("who was offline catches up with the newest, knows the state, and pages back through all the rest", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const bob = await town.person("bob");
  const carol = await town.person("carol");
  const room = await alice.createRoom({ invite: [bob, carol], name: "Before" });
  await bob.joins(room);
  await alice.says(room, "bob is here");
  await bob.hears(room, "bob is here");

  await bob.goOffline();
  await alice.client.setRoomName(room, "After");
  await carol.joins(room);
  await alice.sees(room, carol, "join");
  const missed = Array.from({ length: 2 * limits.syncDefaultTimeline_events }, (_, i) => `while bob was away ${i}`);
  for (const text of missed) await alice.says(room, text);
  await bob.shows(room, ["bob is here"]);

  await bob.comeOnline();
  await bob.hears(room, missed.at(-1) as string);
  await bob.until("the new name is known", () => bob.room(room).name === "After");
  await bob.settles(room);
  await bob.shows(room, missed.slice(-limits.syncDefaultTimeline_events));

  while (!bob.texts(room).includes("bob is here")) {
    await bob.client.scrollback(bob.room(room), 7);
    await bob.settles(room);
  }
  await bob.shows(room, ["bob is here", ...missed]);

  // Whose joining bob did not see live can read what bob says.
  await bob.says(room, "what did I miss?");
  await carol.hears(room, "what did I miss?");
});

test("keys that were sent while the app was closed are there when it starts again, once", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const bob = await town.person("bob");
  const room = await alice.createRoom({ invite: [bob] });
  await bob.joins(room);
  await alice.sees(room, bob, "join");
  await bob.close();
  await alice.says(room, "good morning");

  await bob.reopen();
  await bob.hears(room, "good morning");
  // The message that brought the key is acknowledged by the next sync, and is not delivered a second time.
  await bob.close();
  await bob.reopen();
  await bob.hears(room, "good morning");
  await bob.says(room, "good morning alice");
  await alice.hears(room, "good morning alice");
});

test("the server stops and starts again, and the apps go on where they were", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const bob = await town.person("bob");
  const room = await alice.createRoom({ invite: [bob] });
  await bob.joins(room);
  await alice.says(room, "before");
  await bob.hears(room, "before");
  await town.restartServer();
  await alice.says(room, "after");
  await bob.hears(room, "after");
  await bob.shows(room, ["before", "after"]);
});

test("unread messages and mentions are counted until they are read, and the others see who has read", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const bob = await town.person("bob");
  const room = await alice.createRoom({ invite: [bob], encrypted: false });
  await bob.joins(room);
  const { Total, Highlight } = NotificationCountType;
  const counts = () => [Total, Highlight].map((type) => bob.room(room).getUnreadNotificationCount(type));
  const isCounted = (total: number, highlight: number) =>
    bob.until(`${total} are unread and ${highlight} mention bob`, () => counts().join() === `${total},${highlight}`);

  await alice.says(room, "is anybody here?");
  await isCounted(1, 0);
  const mentions = { user_ids: [bob.userId] };
  const id = await alice.sends(room, "m.room.message", { msgtype: "m.text", body: "Bob?", "m.mentions": mentions });
  await isCounted(2, 1);

  const laptop = await bob.device("laptop");
  assert.equal(laptop.room(room).getUnreadNotificationCount(Total), 2);
  assert.equal(alice.room(room).hasUserReadEvent(bob.userId, id), false);
  await bob.client.sendReadReceipt(await bob.hears(room, "Bob?"));
  await isCounted(0, 0);
  await laptop.until("it is read there too", () => laptop.room(room).getUnreadNotificationCount(Total) === 0);
  await alice.until("alice sees that bob has read it", () => alice.room(room).hasUserReadEvent(bob.userId, id));
});

test("each message of an encrypted conversation counts as unread until it is read", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const bob = await town.person("bob");
  const room = await alice.createRoom({ invite: [bob] });
  await bob.joins(room);
  await alice.says(room, "one");
  await alice.says(room, "two");
  const unread = () => bob.room(room).getUnreadNotificationCount(NotificationCountType.Total);
  await bob.until("two are unread", () => unread() === 2);
  await bob.client.sendReadReceipt(await bob.hears(room, "two"));
  await bob.until("all is read", () => unread() === 0);
});
