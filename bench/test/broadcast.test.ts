import assert from "node:assert/strict";
import { test } from "node:test";
import { missingCompiler, openBroadcast, serverFrame } from "../src/broadcast.ts";

const skip = missingCompiler();
if (skip) console.error(`The broadcast in C is not tested: ${skip}.`);

test("the broadcast in C gives every client every frame, whole, over and over", { skip }, async () => {
  // Short ones, one that needs a longer header, and one that no socket takes at once.
  const texts = ["first", "x".repeat(1_000), "y".repeat(3_000_000), "last"];
  const seen: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  await using broadcast = await openBroadcast({
    frames: texts.map((text) => serverFrame(Buffer.from(text))),
    connections: 3,
    onMessage(payload) {
      seen.push(payload.toString());
      if (seen.length >= 24) resolve();
    },
  });
  assert.deepEqual(seen, [], "it writes before it is told to");
  broadcast.run(true);
  await promise;
  broadcast.run(false);
  const counts = texts.map((text) => seen.filter((each) => each === text).length);
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    seen.length,
    "what came is not what was written",
  );
  assert.ok(
    counts.every((count) => count >= 3),
    counts.join(),
  );
});
