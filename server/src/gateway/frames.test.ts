/** What the server takes is what the protocol's document allows, and no more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkFrame, frameTypes } from "../../../testkit/src/stream-schema.ts";
import { readFrame, readSignIn } from "./frames.ts";
import { joinedFrame, textFrame } from "./wire.ts";

const since = "s1_48213_1795239603862";
const message = { type: "send", id: 1, room_id: "!r", event_type: "m.room.message", txn_id: "t", content: {} };
const right: object[] = [
  { type: "sign_in", access_token: "t" },
  {
    type: "sign_in",
    ticket: "t",
    since,
    filter: "7",
    full_state: true,
    use_state_after: true,
    set_presence: "offline",
  },
  { type: "sign_in", ticket: "t", filter: { room: {} }, "org.matrix.msc4222.use_state_after": true },
  { type: "ack", since },
  { type: "presence", set_presence: "unavailable" },
  { type: "ping" },
  message,
  { ...message, content: { body: "text", list: [{}] } },
];
const wrong: object[] = [
  { type: "sign_in", access_token: 1 },
  { type: "sign_in", ticket: "t", since: 5 },
  { type: "sign_in", ticket: "t", filter: 7 },
  { type: "sign_in", ticket: "t", set_presence: "busy" },
  { type: "ack" },
  { type: "ack", since: 7 },
  { type: "presence", set_presence: "busy" },
  { type: "pong" },
  { ...message, id: undefined },
  { ...message, id: 1.5 },
  { ...message, id: -1 },
  { ...message, room_id: 1 },
  { ...message, event_type: undefined },
  { ...message, txn_id: 5 },
  { ...message, content: [] },
  { ...message, content: "text" },
  [],
];

function isTaken(frame: object): boolean {
  const read = "type" in frame && frame.type === "sign_in" ? readSignIn : readFrame;
  try {
    return Boolean(read(Buffer.from(JSON.stringify(frame)), false));
  } catch {
    return false;
  }
}

function isAllowed(frame: object): boolean {
  try {
    checkFrame("clientSends", frame);
    return true;
  } catch {
    return false;
  }
}

test("the document and the server agree on the frames of clients", () => {
  for (const frame of right) assert.deepEqual([isTaken(frame), isAllowed(frame)], [true, true], JSON.stringify(frame));
  for (const frame of wrong)
    assert.deepEqual([isTaken(frame), isAllowed(frame)], [false, false], JSON.stringify(frame));
  const types = new Set(right.map((frame) => (frame as { type: string }).type));
  assert.deepEqual(frameTypes("clientSends").toSorted(), [...types].toSorted());
});

test("the document refuses frames of the server that are none", () => {
  const frames = [
    { type: "sync", sync: {} },
    { type: "sync", sync: { next_batch: since }, more: 1 },
    { type: "go_away" },
  ];
  for (const frame of frames) assert.throws(() => checkFrame("serverSends", frame), JSON.stringify(frame));
});

for (const length of [0, 1, 125, 126, 65_535, 65_536])
  test(`a frame of ${length} bytes has the header that its length asks for`, () => {
    const text = "x".repeat(length);
    const whole = textFrame(text);
    assert.deepEqual(whole, joinedFrame([Buffer.from(text.slice(0, 3)), text.slice(3)]));
    const header = whole.subarray(0, whole.length - length);
    const told =
      header.length === 2 ? header[1] : header.length === 4 ? header.readUInt16BE(2) : header.readUInt32BE(6);
    assert.deepEqual([header[0], told], [0x81, length]);
  });
