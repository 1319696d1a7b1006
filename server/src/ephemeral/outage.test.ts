/** A store that goes away stops nobody, is told once, and is used again by itself when it is back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { missingService, startService } from "../../../testkit/src/services.ts";
import { soon } from "../../../testkit/src/wait.ts";
import { realSeams } from "../seams.ts";
import type { Ephemeral } from "./ephemeral.ts";
import { openRedisStore } from "./redis.ts";
import { openShared } from "./shared.ts";
import type { Store } from "./store.ts";

const skip = missingService("redis");
const [room, alice] = ["!a:x", "@alice:x"];

/** A number that is waited for. */
function counter(what: string) {
  const waiting: { count: number; resolve(): void }[] = [];
  let number = 0;
  const look = () => {
    for (const { count, resolve } of waiting) if (number >= count) resolve();
  };
  return {
    add: () => ((number += 1), look()),
    reached: (count: number) =>
      soon(`${what} ${count} times`, new Promise<void>((resolve) => (waiting.push({ count, resolve }), look()))),
  };
}

/** The port over Redis, with what it warns of, and how often Redis was asked in vain. */
async function open(url: string) {
  const warnings: string[] = [];
  const [warned, failed] = [counter("it warns"), counter("the store is asked in vain")];
  const warn = (_about: unknown, text?: string) => (warnings.push(text ?? ""), warned.add());
  // It looks for the store more often than a real one, so that it looks several times while it is away.
  const seams = { ...realSeams, every: (_every_ms: number, action: () => void) => realSeams.every(20, action) };
  const store = await openRedisStore(url, seams);
  const exchange: Store["exchange"] = (ask) =>
    store.exchange(ask).catch((thrown: unknown) => {
      failed.add();
      throw thrown;
    });
  const ephemeral = openShared({ store: { ...store, exchange }, seams, logger: { warn } });
  await ephemeral.written();
  return {
    ephemeral,
    warnings,
    warned: warned.reached,
    failed: failed.reached,
    [Symbol.asyncDispose]: () => ephemeral.close(),
  };
}

function until(ephemeral: Ephemeral, condition: () => boolean): Promise<void> {
  const met = new Promise<void>((resolve) => {
    const look = () => void (condition() && resolve());
    ephemeral.listen(look);
    look();
  });
  return soon(`what is true for a moment is so that ${condition}`, met);
}

const spending = { name: "login x", burst: 5, perSecond: 1, tokens: 1, isSpent: false };

for (const how of ["killed", "hanging"] as const)
  test(`while Redis is ${how}, presence stands still, nothing throws, and one warning says so`, { skip }, async () => {
    await using redis = await startService("redis");
    await using opened = await open(redis.url);
    const { ephemeral, warnings, warned, failed } = opened;
    ephemeral.setTyping({ roomId: room, userId: alice, timeout_ms: 60_000 });
    ephemeral.setPresence(alice, { state: "online", active: true });
    await ephemeral.written();
    const seen = ephemeral.clock();

    if (how === "killed") await redis.kill();
    else redis.pause();
    ephemeral.setTyping({ roomId: room, userId: "@bob:x", timeout_ms: 60_000 });
    await ephemeral.written();
    await warned(1);
    assert.equal(ephemeral.presence(alice)?.state, "online");
    assert.deepEqual(ephemeral.typing(room)?.users, [], "nobody could say that it ended, so it ends");
    assert.ok((ephemeral.typing(room)?.changed ?? 0) > seen);
    assert.equal(await ephemeral.spend([spending]), undefined);
    assert.equal(await ephemeral.upload("u"), undefined);
    for (let i = 0; i < 10; i++) {
      ephemeral.setPresence(alice, { state: i % 2 ? "online" : "unavailable", active: true });
      ephemeral.setUpload({ id: "u", userId: alice, status: "failed", bytes: i, total: 10 });
      await ephemeral.written();
    }
    await failed(how === "killed" ? 5 : 2);
    assert.equal(warnings.length, 1);

    if (how === "killed") await redis.start();
    else redis.resume();
    await warned(2);
    assert.match(warnings[1] ?? "", /is back/);
    ephemeral.setTyping({ roomId: room, userId: alice, timeout_ms: 60_000 });
    await until(ephemeral, () => ephemeral.typing(room)?.users.includes(alice) === true);
    assert.ok((ephemeral.typing(room)?.changed ?? 0) > seen);
    assert.equal((await ephemeral.spend([spending]))?.[0]?.isTaken, true);
    // Who was online before, and is still here, is said again: another replica finds it there.
    await using other = await open(redis.url);
    await until(other.ephemeral, () => other.ephemeral.presence(alice)?.state === "online");
    assert.equal(warnings.length, 2);
  });

test("a store that is away at the start keeps nobody from starting", { skip }, async () => {
  await using redis = await startService("redis");
  await redis.kill();
  await using opened = await open(redis.url);
  const { ephemeral, warned } = opened;
  ephemeral.setPresence(alice, { state: "online", active: true });
  await ephemeral.written();
  assert.equal(ephemeral.presence(alice), undefined);
  await redis.start();
  await warned(2);
  await until(ephemeral, () => ephemeral.presence(alice)?.state === "online");
});
