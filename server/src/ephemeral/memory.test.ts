/** Typing and presence on a virtual clock. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "../../../testkit/src/simulation.ts";
import { limits } from "../limits.ts";
import { openMemoryEphemeral, openMemoryStore } from "./memory.ts";
import { openShared } from "./shared.ts";
import type { Store } from "./store.ts";

const alice = "@alice:x";
const bob = "@bob:x";
const room = "!a";

function open() {
  const world = simulate(1);
  const ephemeral = openMemoryEphemeral(world.seams);
  const told: object[] = [];
  ephemeral.listen((change) => told.push(change));
  return { world, ephemeral, told };
}

/** As `open`, with what is asked of the store counted. */
function openCounted() {
  const world = simulate(1);
  const store = openMemoryStore(world.seams);
  const writes: number[] = [];
  const counted: Store = {
    ...store,
    exchange(ask) {
      if (ask.operations.length > 0) writes.push(ask.operations.length);
      return store.exchange(ask);
    },
  };
  const ephemeral = openShared({ store: counted, seams: world.seams, logger: { warn() {} } });
  return { world, ephemeral, writes };
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
  await ephemeral.written();
  assert.deepEqual([ephemeral.typing(room)?.users, told.length], [[], 2]);
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

test("signs of life that change nothing are written together, and never more often than every so often", async () => {
  const { world, ephemeral, writes } = openCounted();
  const people = Array.from({ length: 500 }, (_, i) => `@p${i}:x`);
  const syncAll = () => {
    for (const userId of people) ephemeral.setPresence(userId, { state: "online", active: true });
  };
  syncAll();
  await world.advance(0);
  assert.deepEqual(writes, [500]);
  for (let passed_ms = 0; passed_ms < 3 * limits.presenceRefresh_ms; passed_ms += 1_000) {
    syncAll();
    await world.advance(1_000);
  }
  assert.deepEqual(writes, [500, 500, 500, 500]);
});

test("what is set in one turn of the loop is one write, and of one thing only the last", async () => {
  const { ephemeral, writes } = openCounted();
  for (const timeout_ms of [1_000, 0, 2_000]) ephemeral.setTyping({ roomId: room, userId: alice, timeout_ms });
  ephemeral.setTyping({ roomId: room, userId: bob, timeout_ms: 1_000 });
  await ephemeral.written();
  assert.deepEqual(writes, [2]);
  assert.deepEqual(ephemeral.typing(room)?.users, [alice, bob]);
});

test("an upload's progress is told now and then, and how it ended at once", async () => {
  const { world, ephemeral } = open();
  const told: (number | string)[] = [];
  ephemeral.listenUploads(({ bytes, status }) => told.push(status === "uploading" ? bytes : status));
  const step = (bytes: number) =>
    ephemeral.setUpload({ id: "u", userId: alice, status: "uploading", bytes, total: 100 });
  for (let bytes = 1; bytes <= 10; bytes++) step(bytes);
  await world.advance(limits.uploadProgress_ms);
  assert.deepEqual(told, [10]);
  step(50);
  ephemeral.setUpload({ id: "u", userId: alice, status: "complete", bytes: 100, total: 100 });
  await world.advance(0);
  assert.deepEqual(told, [10, "complete"]);
});

test("nothing is left running when it is closed", async () => {
  const { world, ephemeral } = open();
  ephemeral.setTyping({ roomId: room, userId: alice, timeout_ms: 30_000 });
  for (let i = 0; i < 2; i++) {
    ephemeral.setPresence(alice, { state: "online", active: true });
    await ephemeral.written();
  }
  ephemeral.setUpload({ id: "u", userId: alice, status: "uploading", bytes: 1, total: 100 });
  await ephemeral.close();
  assert.equal(world.timers(), 0);
});
