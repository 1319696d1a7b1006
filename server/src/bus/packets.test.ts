/** How messages are packed, cut, put together and sealed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { simulate } from "../../../testkit/src/simulation.ts";
import { createAssembly, decodePacket, encodePacket, type Message, pack, unpack } from "./packets.ts";
import { open, seal } from "./seal.ts";

const message = fc.record(
  { topic: fc.constantFrom("head", "typing"), message: fc.string({ unit: "binary", maxLength: 400 }) },
  { noNullPrototype: true },
);

/** As they arrive: each part as a packet of its own. */
function send(messages: readonly Message[], packet_bytes: number): string[] {
  return pack(messages, packet_bytes).flatMap((texts, number) =>
    texts.map((text, part) => encodePacket({ sender: "a", number, part, parts: texts.length, text })),
  );
}

function receive(packets: readonly string[]): Message[] {
  const assemble = createAssembly({ most: 4, most_bytes: 1_000_000 });
  return packets.flatMap((each) => {
    const packet = decodePacket(each);
    const text = packet && assemble(packet);
    return text === undefined ? [] : unpack(text);
  });
}

test("whatever the messages and the largest packet, they arrive as they were, and no packet is larger", () => {
  fc.assert(
    fc.property(fc.array(message), fc.integer({ min: 80, max: 600 }), (messages, packet_bytes) => {
      const packets = send(messages, packet_bytes);
      assert.deepEqual(receive(packets), messages);
      for (const packet of packets) assert.ok(Buffer.byteLength(packet) <= packet_bytes);
    }),
  );
});

test("small messages share a packet", () => {
  const many = Array.from({ length: 100 }, (_, i) => ({ topic: "head", message: `${i}` }));
  assert.equal(send(many, 7_990).length, 1);
});

test("where a part is missing, its message is lost whole and the others are not", () => {
  const messages = ["before", "x".repeat(500), "after"].map((each) => ({ topic: "head", message: each }));
  const packets = send(messages, 200);
  assert.equal(packets.length, 6);
  for (let lost = 1; lost < 5; lost++)
    assert.deepEqual(
      receive(packets.toSpliced(lost, 1)).map((each) => each.message),
      ["before", "after"],
    );
});

test("parts of messages that never end are bounded, in how many and how large", () => {
  const assemble = createAssembly({ most: 2, most_bytes: 10 });
  const part = (sender: string, number: number, text: string) =>
    assemble({ sender, number: 1, part: number, parts: 3, text });
  for (const sender of ["a", "b", "c"]) part(sender, 0, "x");
  assert.equal(part("a", 1, "y"), undefined);
  assert.equal(part("a", 2, "z"), undefined, "the oldest was given up");
  part("c", 1, "y");
  assert.equal(part("c", 2, "z"), "xyz");
  part("b", 1, "y".repeat(11));
  assert.equal(part("b", 2, "z"), undefined, "one that grew too large was given up");
});

test("what is no packet, or one of another version, is nothing", () => {
  for (const each of ["", "2 a 1 0 1 head 1 x", "1 a b 0 1 ", "\u0000"]) assert.equal(decodePacket(each), undefined);
});

test("a sealed packet says nothing, opens with its key alone, and not when a bit of it was changed", () => {
  const { seams } = simulate(1);
  const [key, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const packet = seal("what alice says", key, seams);
  assert.equal(open(packet, key), "what alice says");
  assert.equal(packet.includes("alice"), false);
  assert.notDeepEqual(seal("what alice says", key, seams), packet);
  assert.equal(open(packet, other), undefined);
  for (let i = 0; i < packet.length; i++) {
    const changed = Buffer.from(packet);
    changed[i] = (changed[i] as number) ^ 1;
    assert.equal(open(changed, key), undefined);
  }
  assert.equal(open(packet.subarray(0, 20), key), undefined);
});

test("lengths that are none end the reading, and do not lead back", () => {
  for (const length of ["-1", "-10", "-0", "1.5", "1e1", "Infinity", "", "x", "99"])
    assert.deepEqual(unpack(`head 1 atyping ${length} bcdef`), [{ topic: "head", message: "a" }], length);
});
