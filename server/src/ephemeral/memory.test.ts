/** Typing and presence on a virtual clock. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "../../../testkit/src/simulation.ts";
import { openMemoryEphemeral } from "./memory.ts";

const alice = "@alice:x";
const room = "!a";

function open() {
  const world = simulate(1);
  const ephemeral = openMemoryEphemeral(world.seams);
  const told: object[] = [];
  ephemeral.listen((change) => told.push(change));
  return { world, ephemeral, told };
}

test("typing ends by itself at its timeout, and both changes are told", async () => {
  const { world, ephemeral, told } = open();
  ephemeral.setTyping({ roomId: room, userId: alice, timeout_ms: 30_000 });
  await world.advance(29_999);
  assert.deepEqual(ephemeral.typing(room)?.users, [alice]);
  await world.advance(1);
  assert.deepEqual(ephemeral.typing(room)?.users, []);
  assert.deepEqual(told, [{ roomId: room }, { roomId: room }]);
});

test("who goes on typing is told once, and the timeout begins anew", async () => {
  const { world, ephemeral, told } = open();
  for (let i = 0; i < 3; i++) {
    ephemeral.setTyping({ roomId: room, userId: alice, timeout_ms: 30_000 });
    await world.advance(20_000);
  }
  assert.deepEqual(ephemeral.typing(room)?.users, [alice]);
  assert.equal(told.length, 1);
  ephemeral.setTyping({ roomId: room, userId: alice, timeout_ms: 0 });
  assert.deepEqual([ephemeral.typing(room)?.users, told.length, world.timers()], [[], 2, 0]);
});

test("the end of what never began is no change", () => {
  const { ephemeral, told } = open();
  ephemeral.setTyping({ roomId: room, userId: alice, timeout_ms: 0 });
  assert.deepEqual([ephemeral.typing(room), told], [undefined, []]);
});

test("the numbers of changes only grow, also while the clock stands still", () => {
  const { ephemeral } = open();
  const numbers = [ephemeral.clock()];
  for (const state of ["online", "unavailable", "offline", "online"] as const) {
    ephemeral.setPresence(alice, { state, active: true });
    numbers.push(ephemeral.clock());
  }
  assert.deepEqual(
    numbers,
    [...new Set(numbers)].toSorted((a, b) => a - b),
  );
});

test("without a sign of life a person goes offline; each sign puts it off, and only changes are told", async () => {
  const { world, ephemeral, told } = open();
  for (let i = 0; i < 3; i++) {
    ephemeral.setPresence(alice, { state: "online", active: true, timeout_ms: 90_000 });
    await world.advance(60_000);
  }
  assert.equal(ephemeral.presence(alice)?.state, "online");
  assert.equal(told.length, 1);
  await world.advance(30_000);
  const { state, lastActive_ms } = ephemeral.presence(alice) ?? {};
  assert.deepEqual([state, world.seams.now_ms() - (lastActive_ms ?? 0)], ["offline", 90_000]);
  assert.equal(told.length, 2);
});

test("a status stays until it is taken away, and changes are found by their number", () => {
  const { ephemeral } = open();
  ephemeral.setPresence(alice, { state: "online", statusMessage: "here", active: true });
  const seen = ephemeral.clock();
  ephemeral.setPresence("@bob:x", { state: "online", active: true });
  ephemeral.setPresence(alice, { state: "unavailable", active: false });
  assert.equal(ephemeral.presence(alice)?.statusMessage, "here");
  assert.deepEqual([...ephemeral.presenceChanges(seen)].map(({ userId }) => userId).toSorted(), [alice, "@bob:x"]);
  assert.deepEqual([...ephemeral.presenceChanges(ephemeral.clock())], []);
  ephemeral.setPresence(alice, { state: "unavailable", statusMessage: null, active: false });
  assert.equal(ephemeral.presence(alice)?.statusMessage, null);
});
