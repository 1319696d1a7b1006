/** What is set while the store does not take it, and a store that is behind what it had said. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "../../../testkit/src/simulation.ts";
import { limits } from "../limits.ts";
import { openMemoryStore } from "./memory.ts";
import { openShared } from "./shared.ts";
import type { Ask, Store } from "./store.ts";

const alice = "@alice:x";
const room = "!a";

/** The port over a store in memory that can be exchanged for another, held up and taken away. */
function open() {
  const world = simulate(1);
  const place = { store: openMemoryStore(world.seams), isAway: false, ready: Promise.resolve() };
  const asks: Ask[] = [];
  const store: Store = {
    ...place.store,
    isShared: true,
    async exchange(ask) {
      asks.push(ask);
      await place.ready;
      if (place.isAway) throw new Error("away");
      const news = await place.store.exchange(ask);
      // As every shared store does: its number is never below what a replica has known.
      return { ...news, upTo: Math.max(news.upTo, ask.after) };
    },
  };
  const ephemeral = openShared({ store, seams: world.seams, logger: { warn() {} } });
  const written = () => asks.flatMap(({ operations }) => operations);
  const types = (roomId: string) => ephemeral.setTyping({ roomId, userId: alice, timeout_ms: 30_000 });
  return { world, place, asks, ephemeral, written, types };
}

test("while the store takes its time, only so much waits for it", async () => {
  const { world, place, ephemeral, written, types } = open();
  await ephemeral.written();
  const held = Promise.withResolvers<void>();
  place.ready = held.promise;
  types("!first");
  await world.advance(0);
  for (let i = 0; i < limits.ephemeralWaiting_operations + 10; i++) types(`!${i}`);
  held.resolve();
  await ephemeral.written();
  assert.equal(written().length, 1 + limits.ephemeralWaiting_operations);
});

test("who typed while the store was away does not seem to type when it is back", async () => {
  const { world, place, ephemeral, written, types } = open();
  place.isAway = true;
  await world.advance(limits.ephemeralPoll_ms);
  types(room);
  await world.advance(60_000);
  place.isAway = false;
  await world.advance(limits.ephemeralPoll_ms);
  await ephemeral.written();
  assert.deepEqual([written(), ephemeral.typing(room)?.users ?? []], [[], []]);
  // The control: what is set now is written.
  types(room);
  await ephemeral.written();
  assert.deepEqual(ephemeral.typing(room)?.users, [alice]);
});

test("a store that began anew with an earlier time is taken above all numbers that were told, at once", async () => {
  const { world, place, asks, ephemeral, types } = open();
  await world.advance(60_000);
  types(room);
  await ephemeral.written();
  const told = ephemeral.clock();
  place.store = openMemoryStore({ now_ms: () => 1 });
  await world.advance(limits.ephemeralPoll_ms);
  assert.deepEqual(ephemeral.typing(room)?.users, []);
  assert.ok(ephemeral.clock() > told);
  assert.equal(asks.at(-1)?.after, ephemeral.clock());
});
