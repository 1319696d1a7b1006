import assert from "node:assert/strict";
import test from "node:test";
import { limits } from "../limits.ts";
import {
  compileFilter,
  compileRoomEventFilter,
  maxFields,
  maxList_entries,
  readFilter,
  readRoomEventFilter,
  type FilteredRoomEvent,
  type RoomEventFilter,
} from "./filter.ts";

const alice = "@alice:example.org";
const bob = "@bob:example.org";
const here = "!here:example.org";
const there = "!there:example.org";

function event(more: Partial<FilteredRoomEvent> & { content?: object } = {}): FilteredRoomEvent {
  const { content = {}, ...rest } = more;
  return { type: "m.room.message", userId: alice, roomId: here, body: JSON.stringify({ content }), ...rest };
}

const of = (type: string) => event({ type });
const from = (userId: string | null) => event({ userId });
const within = (roomId: string) => event({ roomId });
const withContent = (content: object) => event({ content });

type Row = { filter: RoomEventFilter; passes?: FilteredRoomEvent[]; stops?: FilteredRoomEvent[] };

const rows: Row[] = [
  { filter: { types: ["m.room.message"] }, passes: [event()], stops: [of("m.room.messages"), of("M.room.message")] },
  { filter: { types: [] }, stops: [event(), event({ type: null })] },
  { filter: { not_types: [] }, passes: [event()] },
  { filter: { not_types: ["m.room.message"] }, passes: [of("m.sticker")], stops: [event()] },
  { filter: { types: ["m.*"], not_types: ["m.sticker"] }, passes: [event()], stops: [of("m.sticker"), of("org.m.x")] },
  { filter: { types: ["m.sticker"], not_types: ["m.sticker"] }, stops: [of("m.sticker"), event()] },
  { filter: { types: ["*"] }, passes: [event(), of("")] },
  { filter: { types: ["m.room.*"] }, passes: [event(), of("m.room.")], stops: [of("m.room"), of("m.call.x")] },
  { filter: { types: ["*.message"] }, passes: [event()], stops: [of("m.room.message.x")] },
  { filter: { types: ["a*b*c"] }, passes: [of("abc"), of("aXbbYc")], stops: [of("acb"), of("ac")] },
  { filter: { types: ["ab*ba"] }, passes: [of("abba"), of("abxba")], stops: [of("aba")] },
  { filter: { types: ["a.c?"] }, passes: [of("a.c?")], stops: [of("abcd"), of("a.cd")] },
  { filter: { not_types: ["*"] }, stops: [event()] },
  { filter: { senders: [alice] }, passes: [event()], stops: [from(bob), from(null), event({ userId: undefined })] },
  { filter: { senders: [] }, stops: [event()] },
  { filter: { not_senders: [alice] }, passes: [from(bob), from(null)], stops: [event()] },
  { filter: { senders: [alice], not_senders: [alice] }, stops: [event(), from(bob)] },
  { filter: { rooms: [here] }, passes: [event()], stops: [within(there)] },
  { filter: { not_rooms: [here] }, passes: [within(there)], stops: [event()] },
  { filter: { rooms: [here], not_rooms: [here] }, stops: [event()] },
  {
    filter: { contains_url: true },
    passes: [
      withContent({ url: "mxc://a/b" }),
      withContent({ url: null }),
      event({ body: '{"content":{"\\u0075rl":1}}' }),
    ],
    stops: [event(), withContent({ info: { url: 1 } }), withContent({ body: '"url"' }), event({ body: undefined })],
  },
  { filter: { contains_url: false }, passes: [event()], stops: [withContent({ url: "mxc://a/b" })] },
  {
    filter: { types: ["m.*"], senders: [alice], rooms: [here], contains_url: false },
    passes: [event()],
    stops: [of("x"), from(bob), within(there), withContent({ url: 1 })],
  },
];

for (const { filter, passes = [], stops = [] } of rows) {
  test(`room event filter ${JSON.stringify(filter)}`, () => {
    const { matches } = compileRoomEventFilter(filter);
    for (const each of passes) assert.equal(matches?.(each) ?? true, true, `should pass: ${JSON.stringify(each)}`);
    for (const each of stops) assert.equal(matches?.(each) ?? true, false, `should stop: ${JSON.stringify(each)}`);
  });
}

test("a filter that leaves everything in has nothing to run", () => {
  const compiled = compileFilter({ room: { timeline: { limit: 5 }, state: { lazy_load_members: true } } });
  assert.equal(compiled.wantsRoom, compileFilter({}).wantsRoom);
  assert.equal(compiled.wantsRoom(here), true);
  const { timeline, state, ephemeral, roomAccountData, accountData, presence } = compiled;
  for (const part of [timeline, state, ephemeral, roomAccountData, accountData, presence]) {
    assert.equal(part.matches, undefined);
  }
  const json = '{"type": "x"}';
  assert.equal(compiled.project(json), json);
});

test("each part of a sync filter concerns its own section", () => {
  const compiled = compileFilter({
    presence: { not_types: ["m.presence"] },
    account_data: { types: ["m.direct"] },
    room: { ephemeral: { types: ["m.receipt"] }, account_data: { types: ["m.tag"] }, timeline: { types: ["a"] } },
  });
  assert.equal(compiled.presence.matches?.({ type: "m.presence", userId: bob }), false);
  assert.equal(compiled.accountData.matches?.({ type: "m.direct" }), true);
  assert.equal(compiled.accountData.matches?.({ type: "m.tag" }), false);
  assert.equal(compiled.ephemeral.matches?.({ type: "m.typing", roomId: here }), false);
  assert.equal(compiled.roomAccountData.matches?.({ type: "m.tag", roomId: here }), true);
  assert.equal(compiled.timeline.matches?.(of("a")), true);
  assert.equal(compiled.state.matches, undefined);
});

test("the rooms of a sync filter", () => {
  const only = compileFilter({ room: { rooms: [here] } }).wantsRoom;
  assert.deepEqual([only(here), only(there)], [true, false]);
  const without = compileFilter({ room: { not_rooms: [here] } }).wantsRoom;
  assert.deepEqual([without(here), without(there)], [false, true]);
  const none = compileFilter({ room: { rooms: [here, there], not_rooms: [here] } }).wantsRoom;
  assert.deepEqual([none(here), none(there)], [false, true]);
});

const timelineLimits: [asked: number | undefined, given: number][] = [
  [undefined, limits.syncDefaultTimeline_events],
  [0, 0],
  [1, 1],
  [1_000_000, limits.syncTimeline_events],
];

for (const [asked, given] of timelineLimits) {
  test(`a timeline limit of ${asked} gives ${given}`, () => {
    assert.equal(compileFilter({ room: { timeline: { limit: asked } } }).timeline.limit, given);
  });
}

test("switches are off where the filter does not say so", () => {
  const off = compileFilter({});
  assert.deepEqual(
    [off.includeLeave, off.unreadThreadNotifications, off.state.lazyLoadMembers, off.state.includeRedundantMembers],
    [false, false, false, false],
  );
  assert.equal(off.eventFormat, "client");
  const on = compileFilter({
    event_format: "federation",
    room: {
      include_leave: true,
      timeline: { unread_thread_notifications: true },
      state: { lazy_load_members: true, include_redundant_members: true },
    },
  });
  assert.deepEqual(
    [on.includeLeave, on.unreadThreadNotifications, on.state.lazyLoadMembers, on.state.includeRedundantMembers],
    [true, true, true, true],
  );
  assert.equal(on.eventFormat, "federation");
});

test("relations that are asked for are handed on as they are", () => {
  const compiled = compileRoomEventFilter({ related_by_rel_types: ["m.thread"], related_by_senders: [alice] });
  assert.deepEqual([compiled.relatedByRelTypes, compiled.relatedBySenders], [["m.thread"], [alice]]);
  assert.equal(compiled.matches, undefined);
});

const whole = {
  event_id: "$e",
  type: "m.room.message",
  sender: alice,
  origin_server_ts: 1,
  content: { body: "b", "m.relates_to": { event_id: "$r", rel_type: "x" }, "a\\b": 2, list: [{ body: 1 }] },
  unsigned: { age: 3, membership: "join" },
};
const required = { event_id: "$e", type: "m.room.message", sender: alice, origin_server_ts: 1 };

const projections: [fields: string[], expected: object][] = [
  [[], { ...required, content: {} }],
  [["content"], { ...required, content: whole.content }],
  [["content.body"], { ...required, content: { body: "b" } }],
  [["content.body", "content"], { ...required, content: whole.content }],
  [["content", "content.body"], { ...required, content: whole.content }],
  [["content.m.relates_to"], { ...required, content: {} }],
  [[String.raw`content.m\.relates_to.rel_type`], { ...required, content: { "m.relates_to": { rel_type: "x" } } }],
  [[String.raw`content.a\\b`, "unsigned.age"], { ...required, content: { "a\\b": 2 }, unsigned: { age: 3 } }],
  [["content.list.0", "content.body.length", "nothing", "content.constructor"], { ...required, content: {} }],
];

for (const [fields, expected] of projections) {
  test(`event_fields ${JSON.stringify(fields)} keep those fields and the required ones`, () => {
    const json = JSON.stringify(whole);
    const { project } = compileFilter({ event_fields: fields });
    assert.deepEqual(JSON.parse(project(json)), expected);
    assert.deepEqual(JSON.parse(project(json)), expected, "a second event is not touched by the first");
  });
}

test("a property called __proto__ is one like another", () => {
  const { project } = compileFilter({ event_fields: ["content.__proto__"] });
  assert.equal(project('{"content":{"__proto__":{"x":1},"y":2}}'), '{"content":{"__proto__":{"x":1}}}');
});

test("the example of the specification is taken, and what is unknown is left out", () => {
  const filter = {
    room: {
      state: { types: ["m.room.*"], not_rooms: ["!726s6s6q:example.com"] },
      timeline: { limit: 10, types: ["m.room.message"], not_senders: ["@spam:example.com"] },
      ephemeral: { types: ["m.receipt", "m.typing"] },
    },
    presence: { types: ["m.presence"], not_senders: [alice] },
    event_format: "client" as const,
    event_fields: ["type", "content", "sender"],
  };
  assert.deepEqual(readFilter({ ...filter, "org.example.more": 1 }), { ok: true, value: filter });
  assert.deepEqual(readFilter({}), { ok: true, value: {} });
});

const longList = Array.from({ length: maxList_entries + 1 }, () => "m.x");
const badFilters: [rule: string, filter: unknown, error: RegExp][] = [
  ["not an object", [], /^The filter is not valid: Invalid input: expected object/],
  ["nothing", null, /^The filter is not valid/],
  [
    "a type in place of a list",
    { room: { timeline: { types: "m.x" } } },
    /^"room.timeline.types" of the filter is not valid/,
  ],
  ["a number as a type", { presence: { types: [1] } }, /^"presence.types.0" of the filter/],
  ["a room id without its sigil", { room: { rooms: ["#alias:b"] } }, /^"room.rooms.0"/],
  ["a sender without its sigil", { room: { state: { senders: ["alice"] } } }, /^"room.state.senders.0"/],
  ["a negative limit", { room: { timeline: { limit: -1 } } }, /^"room.timeline.limit"/],
  ["a broken limit", { room: { timeline: { limit: 1.5 } } }, /^"room.timeline.limit"/],
  ["an unknown format", { event_format: "xml" }, /^"event_format"/],
  ["a switch that is a string", { room: { include_leave: "true" } }, /^"room.include_leave"/],
  ["a long list", { account_data: { types: longList } }, /^"account_data.types" .*<=1000/],
  ["a long entry", { account_data: { types: ["a".repeat(256)] } }, /<=255/],
  ["many fields", { event_fields: longList.slice(0, maxFields + 1) }, /^"event_fields" .*<=100/],
];

for (const [rule, filter, error] of badFilters) {
  test(`refuses a filter that is or has ${rule}, with a sentence`, () => {
    const result = readFilter(filter);
    assert.ok(!result.ok);
    assert.match(result.error, error);
  });
}

test("a room event filter is checked alike", () => {
  assert.deepEqual(readRoomEventFilter({ contains_url: true, x: 1 }), { ok: true, value: { contains_url: true } });
  assert.equal(readRoomEventFilter({ contains_url: 1 }).ok, false);
});
