import assert from "node:assert/strict";
import { test } from "node:test";
import { startTown } from "../src/people.ts";

test("two people write to each other in a private room, and each can read it", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const bob = await town.person("bob");
  const room = await alice.createRoom({ invite: [bob] });
  await bob.isInvited(room);
  await bob.joins(room);

  await alice.says(room, "hello bob");
  const heard = await bob.hears(room, "hello bob");
  assert.equal(heard.getWireType(), "m.room.encrypted");
  assert.equal(heard.getSender(), alice.userId);

  await bob.says(room, "hello alice");
  await alice.hears(room, "hello alice");
  await alice.says(room, "how are you?");
  await bob.hears(room, "how are you?");
  await alice.shows(room, ["hello bob", "hello alice", "how are you?"]);
  assert.deepEqual(bob.texts(room), alice.texts(room));
});

test("an edit takes the place of what was said, for who was there and for who comes later", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const bob = await town.person("bob");
  const room = await alice.createRoom({ invite: [bob], encrypted: false });
  await bob.joins(room);
  const id = await alice.says(room, "see yo tomorow");
  await bob.hears(room, "see yo tomorow");
  await alice.edits(room, id, "see you tomorrow");
  assert.equal((await bob.hears(room, "see you tomorrow")).getId(), id);

  const laptop = await bob.device("laptop");
  assert.equal((await laptop.hears(room, "see you tomorrow")).getId(), id);
});

test("in an encrypted room an edit, a reply, a reaction and a redaction arrive as what they are", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const bob = await town.person("bob");
  const room = await alice.createRoom({ invite: [bob] });
  await bob.joins(room);
  const id = await alice.says(room, "lunch at one?");
  await bob.hears(room, "lunch at one?");

  await alice.edits(room, id, "lunch at two?");
  assert.equal((await bob.hears(room, "lunch at two?")).getId(), id);

  const answer = { msgtype: "m.text", body: "fine", "m.relates_to": { "m.in_reply_to": { event_id: id } } };
  await bob.sends(room, "m.room.message", answer);
  assert.equal((await alice.hears(room, "fine")).replyEventId, id);

  const relation = { rel_type: "m.annotation", event_id: id, key: "👍" };
  const reaction = await bob.sends(room, "m.reaction", { "m.relates_to": relation });
  const likes = () =>
    alice
      .room(room)
      .relations.getChildEventsForEvent(id, "m.annotation", "m.reaction")
      ?.getSortedAnnotationsByKey()
      ?.flatMap(([key, events]) => [...events].map((event) => `${key} ${event.getSender()}`))
      .join();
  await alice.until("bob likes it", () => likes() === `👍 ${bob.userId}`);

  await bob.client.redactEvent(room, reaction);
  await alice.until("bob does not like it any more", () => likes() === "");
  await alice.client.redactEvent(room, id);
  await bob.until("the question is gone", () => bob.room(room).findEventById(id)?.isRedacted());
  await bob.shows(room, ["fine"]);
});
