/** What is in memory of uploads has a bound, and everybody's turn comes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openRoom } from "./parts.ts";

test("no more bytes are let in than there is room for, in the order in which they came, and one that is too large runs alone", async () => {
  const room = openRoom(100);
  const begun: number[] = [];
  let [inside, most] = [0, 0];
  const enter = (bytes: number) =>
    room.with(bytes, async () => {
      begun.push(bytes);
      inside += bytes;
      most = Math.max(most, inside);
      await new Promise((resolve) => void setImmediate(resolve));
      inside -= bytes;
    });
  const sizes = [60, 50, 10, 40, 1, 100, 30];
  await Promise.all(sizes.map(enter));
  assert.deepEqual(begun, sizes);
  assert.equal(most, 100);
  most = 0;
  await Promise.all([enter(30), enter(500), enter(30)]);
  assert.equal(most, 500);
});

test("room that was taken is given back where its use fails", async () => {
  const room = openRoom(10);
  await assert.rejects(
    room.with(10, () => Promise.reject(new Error("cut"))),
    /cut/,
  );
  assert.equal(await room.with(10, async () => "in"), "in");
});
