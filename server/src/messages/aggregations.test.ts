import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { createRoom, type TestRoom } from "../../../testkit/src/room.ts";

const CLIENT = "/_matrix/client/v3";
const { server, alice, bob } = await startNeighbours(["alice", "bob"], { config: { roles: ["auth", "messages"] } });
const room = await createRoom(alice);
await room.change(bob, "join");

const replaces = (event_id: string) => ({ rel_type: "m.replace", event_id });
const thread = (event_id: string) => ({ rel_type: "m.thread", event_id });
const reference = (event_id: string) => ({ rel_type: "m.reference", event_id });

/** Sends an edit of a text and gives its id. */
function edit(who: Person, target: string, body: string): Promise<string> {
  return editIn(room, who, { target, body });
}

function editIn({ send }: TestRoom, who: Person, { target, body }: { target: string; body: string }): Promise<string> {
  const content = { msgtype: "m.text", body: `* ${body}`, "m.new_content": { msgtype: "m.text", body } };
  return send(who, { ...content, "m.relates_to": replaces(target) });
}

async function bundled(eventId: string, who: Person = alice): Promise<Json> {
  return (await room.read(who, `event/${eventId}`)).unsigned?.["m.relations"];
}

const editOf = async (eventId: string): Promise<string | undefined> =>
  (await bundled(eventId))?.["m.replace"]?.event_id;

test("an event is told with its newest edit, and keeps its own content", async () => {
  const id = await room.say(alice, "one");
  assert.equal(await bundled(id), undefined);
  await edit(alice, id, "two");
  const newest = await edit(alice, id, "three");
  const event = await room.read(bob, `event/${id}`);
  const inner = event.unsigned["m.relations"]["m.replace"];
  assert.equal(event.content.body, "one");
  assert.equal(inner.event_id, newest);
  assert.equal(inner.content["m.new_content"].body, "three");
  assert.equal(inner.room_id, room.id);
});

test("of edits with one time the one with the greatest id is the newest", async () => {
  const id = await room.say(alice, "original");
  const edits = [await edit(alice, id, "a"), await edit(alice, id, "b"), await edit(alice, id, "c")];
  await server.ctx.db.log.change("update log.entries set ts = 1000 where event_id = any($1)", [edits]);
  assert.equal(await editOf(id), edits.toSorted((a, b) => (a < b ? -1 : 1)).at(-1));
});

test("an edit counts by its time, not by its place in the log", async () => {
  const id = await room.say(alice, "original");
  const first = await edit(alice, id, "a");
  const second = await edit(alice, id, "b");
  await server.ctx.db.log.change("update log.entries set ts = 1000 where event_id = $1", [second]);
  assert.equal(await editOf(id), first);
});

test("what is no valid edit is not bundled", async () => {
  const id = await room.say(alice, "original");
  await edit(bob, id, "by somebody else");
  await room.send(alice, { "m.new_content": {}, "m.relates_to": replaces(id) }, "org.example.other");
  await room.say(alice, "without new content", replaces(id));
  const other = await createRoom(alice);
  await editIn(other, alice, { target: id, body: "from another room" });
  const state = await room.set(alice, "org.example.state", { "m.new_content": {}, "m.relates_to": replaces(id) });
  assert.equal(await editOf(id), undefined);
  await room.set(alice, "org.example.state", { "m.new_content": {}, "m.relates_to": replaces(state) });
  assert.equal(await editOf(state), undefined);
});

test("an edit can not be edited", async () => {
  const id = await room.say(alice, "original");
  const first = await edit(alice, id, "edit");
  await edit(alice, first, "edit of the edit");
  assert.equal(await editOf(id), first);
  assert.equal(await bundled(first), undefined);
});

test("of encrypted events nobody can tell what an edit holds, so it is bundled", async () => {
  const secret = { algorithm: "m.megolm.v1.aes-sha2", ciphertext: "x", session_id: "s" };
  const id = await room.send(alice, secret, "m.room.encrypted");
  const newer = await room.send(alice, { ...secret, "m.relates_to": replaces(id) }, "m.room.encrypted");
  assert.equal(await editOf(id), newer);
});

test("a redacted edit is none, and a redacted event has no edits", async () => {
  const id = await room.say(alice, "original");
  const first = await edit(alice, id, "first");
  const second = await edit(alice, id, "second");
  await room.redact(alice, second);
  assert.equal(await editOf(id), first);
  await room.redact(alice, id);
  assert.equal(await editOf(id), undefined);
});

test("an event is told with what refers to it, oldest first", async () => {
  const id = await room.say(alice, "question");
  const votes = [await room.say(bob, "yes", reference(id)), await room.say(alice, "no", reference(id))];
  const gone = await room.say(alice, "maybe", reference(id));
  await room.redact(alice, gone);
  assert.deepEqual((await bundled(id))["m.reference"], { chunk: votes.map((event_id) => ({ event_id })) });
});

test("the root of a thread is told with its length, its newest event and whether one takes part", async () => {
  const root = await room.say(alice, "root");
  await room.say(alice, "first", thread(root));
  const newest = await room.say(alice, "second", thread(root));
  const seen = (await bundled(root, bob))["m.thread"];
  assert.deepEqual([seen.count, seen.current_user_participated, seen.latest_event.event_id], [2, false, newest]);
  assert.equal((await bundled(root, alice))["m.thread"].current_user_participated, true);
  await room.say(bob, "third", thread(root));
  assert.equal((await bundled(root, bob))["m.thread"].current_user_participated, true);
  const own = await room.say(bob, "own root");
  await room.say(alice, "answer", thread(own));
  assert.equal((await bundled(own, bob))["m.thread"].current_user_participated, true);
});

test("the newest event of a thread is told with its own edit, and a redacted one is not in the thread", async () => {
  const root = await room.say(alice, "root");
  const answer = await room.say(bob, "answer", thread(root));
  const edited = await edit(bob, answer, "better answer");
  const last = await room.say(bob, "mistake", thread(root));
  await room.redact(bob, last);
  const { latest_event, count } = (await bundled(root))["m.thread"];
  assert.equal(count, 1);
  assert.equal(latest_event.event_id, answer);
  assert.equal(latest_event.unsigned["m.relations"]["m.replace"].event_id, edited);
});

test("with state events nothing is bundled", async () => {
  const id = await room.set(alice, "m.room.topic", { topic: "about this" });
  await room.say(bob, "this", reference(id));
  assert.equal(await bundled(id), undefined);
});

test("annotations are not bundled", async () => {
  const id = await room.say(alice, "nice");
  await room.send(bob, { "m.relates_to": { rel_type: "m.annotation", event_id: id, key: "👍" } }, "m.reaction");
  assert.equal(await bundled(id), undefined);
});

test("nothing of somebody who is ignored is bundled", async () => {
  const carol = await registerPerson(server.url, "carol");
  await room.change(carol, "join");
  const root = await room.say(alice, "root");
  const heard = await room.say(alice, "heard", thread(root));
  await room.say(bob, "unheard", thread(root));
  await room.say(bob, "unheard", reference(root));
  const list = { ignored_users: { [bob.userId]: {} } };
  await carol.call("PUT", `${CLIENT}/user/${carol.userId}/account_data/m.ignored_user_list`, list);
  const relations = await bundled(root, carol);
  assert.deepEqual(Object.keys(relations), ["m.thread"]);
  assert.deepEqual([relations["m.thread"].count, relations["m.thread"].latest_event.event_id], [1, heard]);
  assert.equal((await bundled(root, alice))["m.thread"].count, 2);
});

test("every path that shows an event shows what is bundled with it", async () => {
  const other = await createRoom(alice);
  const parent = await other.say(alice, "parent");
  const id = await other.say(alice, "event", reference(parent));
  const newer = await editIn(other, alice, { target: id, body: "edited" });
  await other.say(alice, "answer", thread(parent));
  const find = (events: readonly Json[], eventId: string) => events.find((event) => event.event_id === eventId);
  const [pages, context, around, relations, threads] = await Promise.all([
    other.read(alice, "messages", { dir: "b" }),
    other.read(alice, `context/${id}`),
    other.read(alice, `context/${parent}`),
    other.read(alice, `relations/${parent}/m.reference`),
    other.read(alice, "threads"),
  ]);
  const places = [find(pages.chunk, id), context.event, find(around.events_after, id), find(relations.chunk, id)];
  for (const event of places) assert.equal(event?.unsigned["m.relations"]["m.replace"].event_id, newer);
  assert.equal(threads.chunk[0].unsigned["m.relations"]["m.thread"].count, 1);
});
