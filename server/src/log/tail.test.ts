/** The tail against a naive model: whatever was pushed, it gives what filtering a plain list would give. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Kind, type LogEntry, placed } from "./entry.ts";
import { createTail, type Tail } from "./tail.ts";

const bound = { entries: 40, bytes: 40_000 };

const kinds: readonly Kind[] = ["event", "receipt", "account_data", "to_device", "device_list", "session"];
const arbitraryEntry = fc.record({
  kind: fc.constantFrom(...kinds),
  room: fc.constantFrom("!a", "!b", undefined),
  user: fc.constantFrom("@alice:x", "@bob:x"),
  length: fc.integer({ min: 2, max: 3_000 }),
  /** Positions of entries that were deleted before this one. */
  gap: fc.integer({ min: 0, max: 3 }),
});

function build(drawn: readonly (typeof arbitraryEntry extends fc.Arbitrary<infer T> ? T : never)[]): LogEntry[] {
  let position = 0;
  return drawn.map(({ kind, room, user, length, gap }) => {
    position += 1 + gap;
    const isOfRoom = kind === "event" || kind === "receipt";
    return placed(
      {
        kind,
        user,
        ...(isOfRoom ? { room: room ?? "!a" } : room && kind === "account_data" ? { room } : {}),
        ...(kind === "event" ? { event_id: `$${position}` } : {}),
        body: "x".repeat(length),
      },
      position,
    );
  });
}

const isOfRoom = ({ kind }: LogEntry) => kind === "event" || kind === "receipt";

function assertLikeModel(tail: Tail, pushed: readonly LogEntry[]): void {
  const kept = pushed.filter((entry) => entry.position > tail.floor());
  const last = pushed.at(-1)?.position ?? 0;
  for (let after = tail.floor(); after <= last + 1; after++) {
    const above = kept.filter((entry) => entry.position > after);
    for (const roomId of ["!a", "!b", "!none"])
      assert.deepEqual(
        tail.ofRoom(roomId, after),
        above.filter((entry) => isOfRoom(entry) && entry.roomId === roomId),
      );
    for (const userId of ["@alice:x", "@bob:x", "@none:x"])
      assert.deepEqual(
        tail.ofUser(userId, after),
        above.filter((entry) => !isOfRoom(entry) && entry.kind !== "device_list" && entry.userId === userId),
      );
    assert.deepEqual(
      tail.deviceLists(after),
      above.filter((entry) => entry.kind === "device_list"),
    );
    const moved = new Set(above.filter(isOfRoom).map(({ roomId }) => roomId as string));
    for (const rooms of [["!a"], ["!a", "!b", ...Array.from({ length: 20 }, (_, n) => `!none${n}`)]])
      assert.deepEqual(
        tail.movedAmong(new Map(rooms.map((roomId) => [roomId, 0])), after),
        new Set(rooms.filter((roomId) => moved.has(roomId))),
      );
  }
  for (const roomId of ["!a", "!b", "!none"])
    assert.equal(
      tail.lastOfRoom(roomId),
      kept.findLast((entry) => isOfRoom(entry) && entry.roomId === roomId)?.position ?? 0,
    );
  for (const entry of pushed.filter(({ eventId }) => eventId !== null))
    assert.equal(tail.event(entry.eventId as string), kept.includes(entry) ? entry : undefined);
  assert.equal(tail.size().entries, kept.length);
  assert.ok(tail.size().entries <= bound.entries && tail.size().bytes <= bound.bytes, "the tail keeps its bounds");
}

test("the tail gives what a plain list would give, and keeps its bounds", () => {
  fc.assert(
    fc.property(fc.array(fc.array(arbitraryEntry, { maxLength: 12 }), { maxLength: 14 }), (runs) => {
      const tail = createTail(0, bound);
      const entries = build(runs.flat());
      let from = 0;
      for (const run of runs) {
        tail.push(entries.slice(from, (from += run.length)));
        assertLikeModel(tail, entries.slice(0, from));
      }
    }),
    { numRuns: 150 },
  );
});

test("what is redacted is gone from memory, and from the state event that replaced it", () => {
  const tail = createTail(0, bound);
  const unsigned = '{"replaces_state":"$1","prev_sender":"@a:x","prev_content":{"topic":"regretted"}}';
  const state = { kind: "event" as const, room: "!a", type: "m.room.topic", state_key: "" };
  tail.push([
    placed({ ...state, event_id: "$1", body: '{"content":{"topic":"regretted"}}' }, 1),
    placed({ ...state, event_id: "$2", body: '{"content":{}}', unsigned }, 2),
  ]);
  const body = '{"type":"m.room.topic","state_key":"","content":{}}';
  const redaction = {
    kind: "event" as const,
    room: "!a",
    event_id: "$3",
    redacts: "$1",
    body: "{}",
    redacted_body: body,
  };
  tail.push([placed(redaction, 3)]);
  assert.equal(JSON.stringify(tail.ofRoom("!a", 0)).includes("regretted"), false);
  tail.push([placed({ ...redaction, room: "!b", event_id: "$4", redacts: "$2" }, 4)]);
  assert.equal(tail.event("$2")?.body, '{"content":{}}', "a redaction of another room changes nothing");
});
