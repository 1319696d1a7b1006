import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { createRoom, type Query, type TestRoom } from "../../../testkit/src/room.ts";

const { alice, bob } = await startNeighbours(["alice", "bob"], { config: { roles: ["auth", "messages"] } });

/** A room with twenty messages, named 0 to 19. */
async function longRoom(): Promise<{ room: TestRoom; ids: string[] }> {
  const room = await createRoom(alice);
  await room.change(bob, "join");
  const ids: string[] = [];
  for (let i = 0; i < 20; i++) ids.push(await room.say(i % 2 === 0 ? alice : bob, String(i)));
  return { room, ids };
}

const textsOf = (events: readonly Json[]): string[] => events.map((event) => event.content.body);

test("an event comes with those before it, newest first, and those after it", async () => {
  const { room, ids } = await longRoom();
  const context = await room.read(alice, `context/${ids[10]}`, { limit: 5 });
  assert.equal(context.event.event_id, ids[10]);
  assert.deepEqual(textsOf(context.events_before), ["9", "8"]);
  assert.deepEqual(textsOf(context.events_after), ["11", "12", "13"]);
});

test("the limit is that of both sides together; ten without one, and the event itself with a limit of nothing", async () => {
  const { room, ids } = await longRoom();
  const count = async (query: Query) => {
    const { events_before, events_after, event } = await room.read(alice, `context/${ids[10]}`, query);
    assert.equal(event.event_id, ids[10]);
    return [events_before.length, events_after.length];
  };
  assert.deepEqual(await count({}), [5, 5]);
  assert.deepEqual(await count({ limit: 0 }), [0, 0]);
  assert.deepEqual(await count({ limit: 1 }), [0, 1]);
  assert.deepEqual(await count({ filter: { limit: 4 } }), [2, 2]);
});

test("its tokens lead on in both directions without a gap", async () => {
  const { room, ids } = await longRoom();
  for (const limit of [0, 1, 6]) {
    const context = await room.read(alice, `context/${ids[10]}`, { limit });
    const query = { limit: 100, filter: { types: ["m.room.message"] } };
    const before = await room.read(alice, "messages", { ...query, dir: "b", from: context.start });
    const after = await room.read(alice, "messages", { ...query, dir: "f", from: context.end });
    const all = [
      ...before.chunk.toReversed(),
      ...context.events_before.toReversed(),
      context.event,
      ...context.events_after,
      ...after.chunk,
    ];
    assert.deepEqual(
      textsOf(all),
      ids.map((_, i) => String(i)),
    );
  }
});

test("the filter is for what is around the event and for the state, not for the event", async () => {
  const { room, ids } = await longRoom();
  const filter = { senders: [bob.userId] };
  const context = await room.read(alice, `context/${ids[10]}`, { limit: 4, filter });
  assert.equal(context.event.sender, alice.userId);
  assert.deepEqual(textsOf(context.events_before), ["9", "7"]);
  assert.deepEqual(textsOf(context.events_after), ["11", "13"]);
  const senders = context.state.map(({ sender }: Json) => sender);
  assert.deepEqual([...new Set(senders)], [bob.userId]);
});

test("the state is that of the last event that is given, not of now", async () => {
  const { room, ids } = await longRoom();
  const before = await room.set(alice, "m.room.topic", { topic: "before" });
  const id = await room.say(alice, "with the first topic");
  const after = await room.say(alice, "next");
  await room.set(alice, "m.room.topic", { topic: "after" });
  const topicAt = async (eventId: string, limit: number) => {
    const { state } = await room.read(alice, `context/${eventId}`, { limit });
    return state.find((event: Json) => event.type === "m.room.topic")?.content.topic;
  };
  assert.equal(await topicAt(ids[3] as string, 2), undefined);
  assert.equal(await topicAt(before, 0), "before");
  assert.equal(await topicAt(id, 2), "before");
  assert.equal(await topicAt(after, 2), "after");
});

test("members who are loaded lazily are those who speak in it", async () => {
  const { room, ids } = await longRoom();
  const filter = { lazy_load_members: true };
  const { state } = await room.read(alice, `context/${ids[10]}`, { limit: 0, filter });
  const members = state.filter((event: Json) => event.type === "m.room.member");
  assert.deepEqual(
    members.map((event: Json) => event.state_key),
    [alice.userId],
  );
  assert.ok(state.some((event: Json) => event.type === "m.room.create"));
});
