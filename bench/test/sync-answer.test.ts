import assert from "node:assert/strict";
import { test } from "node:test";
import { messageText, parseReader, scanReader, uniqueTag } from "../src/sync-answer.ts";

const TAG = uniqueTag();

const message = (text: string) => ({
  type: "m.room.message",
  sender: "@a:b",
  content: { msgtype: "m.text", body: text },
  unsigned: { transaction_id: `txn-${text}` },
});

function answer(rooms: Record<string, { limited: boolean; texts: string[] }>): Buffer {
  const join = Object.entries(rooms).map(([roomId, { limited, texts }]) => [
    roomId,
    { timeline: { events: texts.map(message), limited }, state: { events: [] } },
  ]);
  return Buffer.from(JSON.stringify({ next_batch: "s12_3.4~x", rooms: { join: Object.fromEntries(join) } }));
}

const ANSWERS: [what: string, body: Buffer][] = [
  ["nothing", Buffer.from('{"next_batch":"s1"}')],
  ["one message", answer({ "!a": { limited: false, texts: [messageText(TAG, 7)] } })],
  [
    "several, in order, over two rooms, with others between",
    answer({
      "!a": { limited: false, texts: [messageText(TAG, 3), "hello", messageText(TAG, 999_999_999)] },
      "!b": { limited: true, texts: ["ü € 😀", messageText(TAG, 0)] },
    }),
  ],
  ["messages of another run only", answer({ "!a": { limited: false, texts: [messageText(uniqueTag(), 1)] } })],
  ["a quotation of a message", answer({ "!a": { limited: false, texts: [`he wrote "${messageText(TAG, 5)}"`] } })],
  ["a token that must be unescaped", Buffer.from(String.raw`{"next_batch":"s\u0031","rooms":{}}`)],
  ["spaces after colons", Buffer.from('{ "next_batch": "s1", "rooms": { "join": {} } }')],
];

for (const [what, body] of ANSWERS) {
  test(`the scan of an answer reads what the parse reads: ${what}`, () => {
    assert.deepEqual(scanReader(TAG)(body), parseReader(TAG)(body));
  });
}

test("the parse reads the token, the run's messages in order, and the gap", () => {
  const body = ANSWERS[2]?.[1] ?? Buffer.alloc(0);
  assert.deepEqual(parseReader(TAG)(body), { nextBatch: "s12_3.4~x", sequence: [3, 999_999_999, 0], limited: true });
});

test("a scan that differs from the parse is an error, not a count", () => {
  const outsideOfTimelines = { next_batch: "s1", account_data: { body: messageText(TAG, 1) } };
  assert.throws(() => scanReader(TAG)(Buffer.from(JSON.stringify(outsideOfTimelines))), /can not be trusted/);
});
