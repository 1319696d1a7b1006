/** Names that somebody else chose hold nobody up. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../limits.ts";
import { limitedLookup } from "./lookups.ts";

interface Open {
  name: string;
  answer(): void;
}

/** A resolver that answers when it is told to, and a clock that is moved by hand. */
function open() {
  const looked: Open[] = [];
  const timers = new Set<() => void>();
  const lookup = limitedLookup(
    (name) => new Promise((resolve) => looked.push({ name, answer: () => resolve(["192.0.2.1"]) })),
    {
      after(_delay_ms, action) {
        timers.add(action);
        return { cancel: () => void timers.delete(action) };
      },
    },
  );
  return { lookup, looked, late: () => timers.forEach((action) => action()), timers };
}

const turn = () => new Promise((resolve) => void setImmediate(resolve));

test("a few names are looked up at once, the others in their turn, and each once for all who ask", async () => {
  const { lookup, looked, timers } = open();
  const names = Array.from({ length: limits.lookups + 2 }, (_, i) => `host${i}.example`);
  const all = [...names, ...names].map((name) => lookup(name));
  assert.equal(looked.length, limits.lookups);
  for (let i = 0; i < names.length; i++) {
    looked[i]?.answer();
    await turn();
  }
  assert.deepEqual(
    looked.map(({ name }) => name),
    names,
  );
  assert.equal((await Promise.all(all)).length, names.length * 2);
  assert.equal(timers.size, 0);
});

test("nobody waits for a name's server longer than the limit, and its place is not given to another before it ends", async () => {
  const { lookup, looked, late } = open();
  const slow = Array.from({ length: limits.lookups }, (_, i) => lookup(`slow${i}.example`));
  const behind = lookup("quick.example");
  late();
  for (const each of [...slow, behind]) await assert.rejects(each, { code: "ETIMEOUT" });
  assert.equal(looked.length, limits.lookups);
  looked[0]?.answer();
  await turn();
  assert.equal(looked.at(-1)?.name, "quick.example");
  const again = lookup("quick.example");
  looked.at(-1)?.answer();
  assert.deepEqual(await again, ["192.0.2.1"]);
});

test("beyond the queue a name is refused at once", async () => {
  const { lookup } = open();
  const most = limits.lookups + limits.lookupsWaiting;
  for (let i = 0; i < most; i++) void lookup(`host${i}.example`).catch(() => {});
  await assert.rejects(lookup("one-more.example"), { code: "EBUSY" });
});
