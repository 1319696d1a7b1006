/** When a process gives memory back: in a quiet moment, when there is something to give, and never while somebody waits. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "./limits.ts";
import { restWhenQuiet } from "./memory-at-rest.ts";

const MB = 1_048_576;

function watched() {
  const process = { busy: 0, heap_bytes: 100 * MB, rested_bytes: 60 * MB, collections: 0 };
  let tick = () => {};
  let isCalledOff = false;
  const timer = restWhenQuiet({
    seams: {
      every(_every_ms, action) {
        tick = action;
        return { cancel: () => (isCalledOff = true) };
      },
    },
    busyPart: () => process.busy,
    heap_bytes: () => process.heap_bytes,
    collect() {
      process.collections++;
      process.heap_bytes = process.rested_bytes;
    },
  });
  return {
    process,
    timer,
    isCalledOff: () => isCalledOff,
    ticks: (count: number) => Array.from({ length: count }, tick),
  };
}

test("garbage is collected once it is quiet, and not again before there is more of it", () => {
  const { process, ticks } = watched();
  process.busy = 0.8;
  ticks(20);
  assert.equal(process.collections, 0, "not while it works");
  process.busy = 0.01;
  ticks(limits.restQuiet_ticks);
  assert.equal(process.collections, 1);
  ticks(20);
  assert.equal(process.collections, 1, "there is nothing new to give");
  process.heap_bytes += limits.restGrowth_bytes;
  ticks(limits.restQuiet_ticks);
  assert.equal(process.collections, 2);
});

test("one busy moment begins the waiting anew", () => {
  const { process, ticks } = watched();
  for (let i = 0; i < 10; i++) {
    process.busy = 0.5;
    ticks(1);
    process.busy = 0;
    ticks(limits.restQuiet_ticks - 1);
  }
  assert.equal(process.collections, 0);
});

test("a large heap is left alone, since collecting it would hold requests up", () => {
  const { process, ticks } = watched();
  process.heap_bytes = limits.restHeap_bytes + 1;
  ticks(20);
  assert.equal(process.collections, 0);
});

test("it ends with its timer", () => {
  const { timer, isCalledOff } = watched();
  timer.cancel();
  assert.equal(isCalledOff(), true);
});
