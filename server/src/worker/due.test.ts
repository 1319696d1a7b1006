import assert from "node:assert/strict";
import { test } from "node:test";
import { openMemoryBus } from "../bus/memory.ts";
import { onDue, tellDue } from "./due.ts";

test("a word wakes who waits for its kind; what another release says is passed over, and is no error", async () => {
  const errors: unknown[] = [];
  const bus = openMemoryBus({ logger: { error: (about: unknown) => void errors.push(about) } });
  const woken: number[] = [];
  const last = new Promise<void>((resolve) => {
    onDue({ bus }, "delayed", (within_ms) => {
      woken.push(within_ms);
      if (within_ms === 7) resolve();
    });
  });
  bus.publish("due", "2 another form");
  bus.publish("due", "null");
  bus.publish("due", JSON.stringify({ due: "delayed", within_ms: "soon" }));
  bus.publish("due", JSON.stringify({ due: "delayed", within_ms: 5, because: "it is new" }));
  tellDue({ bus }, "push", 6);
  tellDue({ bus }, "delayed", 7);
  await last;
  assert.deepEqual([woken, errors], [[5, 7], []]);
  await bus.close();
});
