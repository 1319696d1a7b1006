import assert from "node:assert/strict";
import { test } from "node:test";
import { createFrameReader } from "../src/websocket.ts";

function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const header = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  header[0] = 0x81;
  header[1] = length < 126 ? length : length < 65_536 ? 126 : 127;
  if (header.length === 4) header.writeUInt16BE(length, 2);
  if (header.length === 10) header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, payload]);
}

const TEXTS = ["", "a", "b".repeat(125), "c".repeat(126), "d".repeat(65_535), "e".repeat(65_536), "ü"];

for (const size of [1, 2, 3, 7, 1_000, 100_000, 1_000_000])
  test(`frames of every length are read, in pieces of ${size} bytes`, () => {
    const read: string[] = [];
    const reader = createFrameReader((opcode, payload) => read.push(`${opcode}${payload.toString()}`));
    const bytes = Buffer.concat(TEXTS.map(frame));
    for (let at = 0; at < bytes.length; at += size) reader(bytes.subarray(at, at + size));
    assert.deepEqual(
      read,
      TEXTS.map((text) => `1${text}`),
    );
  });
