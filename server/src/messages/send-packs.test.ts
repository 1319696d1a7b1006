import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../limits.ts";
import { formats, type Queue } from "../queue/queue.ts";
import { encodeSend, openPublishing, readPack, sendingOf as readSend } from "./send-packs.ts";
import type { Sending } from "./sending.ts";

function sendingOf(n: number, text = "of the usual length"): Sending {
  const session = { id: n, userId: `@user${n}:example.org` };
  const content = { msgtype: "m.text", body: text };
  return { session, roomId: "!room", type: "m.room.message", txnId: `txn ${n}`, eventId: `$${n}`, content };
}

/** A queue that confirms what it was given when it is told to. */
function slowQueue() {
  const bodies: string[] = [];
  let confirm = Promise.withResolvers<void>();
  const publish = async (_name: string, body: string) => {
    bodies.push(body);
    await confirm.promise;
  };
  const confirmAll = () => {
    confirm.resolve();
    confirm = Promise.withResolvers();
  };
  return { queue: { publish } as unknown as Queue, bodies, confirmAll };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("a send that comes alone is published at once, and as it was", async () => {
  const { queue, bodies, confirmAll } = slowQueue();
  const sent = openPublishing(queue)(sendingOf(1, "Grüße \0 👋"));
  await turn();
  assert.deepEqual(
    bodies.map((body) => readPack(body).map(readSend)),
    [[sendingOf(1, "Grüße \0 👋")]],
  );
  confirmAll();
  await sent;
});

test("format 1 is what the release before reads and writes, to the letter", () => {
  const written = '[7,"@user7:example.org","!room","m.room.message","txn 7","$7",{"msgtype":"m.text","body":"b"}';
  assert.equal(encodeSend(sendingOf(7, "b")), `${written}]`);
  assert.equal(encodeSend({ ...sendingOf(7, "b"), ts: 5 }), `${written},5]`);
  assert.deepEqual(readPack(`[${written}],${written},5]]`).map(readSend), [
    sendingOf(7, "b"),
    { ...sendingOf(7, "b"), ts: 5 },
  ]);
  assert.equal(formats["chat.messages"], 1, "another format has samples of its own here, and those of this one stay");
});

test("what comes while earlier messages are not confirmed goes together, so many sends to a message and none twice", async () => {
  const { queue, bodies, confirmAll } = slowQueue();
  const publish = openPublishing(queue);
  const first = Array.from({ length: limits.queuedPacks }, (_, n) => publish(sendingOf(n)));
  await turn();
  assert.equal(bodies.length, limits.queuedPacks);
  const count = limits.queuedPacks * (limits.queuedPack_sends + 5);
  const later = Array.from({ length: count }, (_, n) => publish(sendingOf(100 + n)));
  await turn();
  assert.equal(bodies.length, limits.queuedPacks, "nothing more before a confirmation");
  for (let n = 0; n < 3; n++) {
    confirmAll();
    await turn();
  }
  await Promise.all([...first, ...later]);
  const sizes = bodies.map((body) => readPack(body).length);
  assert.deepEqual(sizes.slice(limits.queuedPacks), [...four(limits.queuedPack_sends), ...four(5)]);
  assert.equal(
    new Set(bodies.flatMap(readPack).map((packed) => readSend(packed).eventId)).size,
    limits.queuedPacks + count,
  );
});

function four(size: number): number[] {
  return Array.from({ length: limits.queuedPacks }, () => size);
}

test("large sends go in messages of their own", async () => {
  const { queue, bodies, confirmAll } = slowQueue();
  const publish = openPublishing({ publish: queue.publish } as Queue);
  const text = "x".repeat(limits.queuedPack_characters / 2);
  const sends = Array.from({ length: limits.queuedPacks * 2 }, (_, n) => publish(sendingOf(n, text)));
  await turn();
  confirmAll();
  await turn();
  confirmAll();
  await Promise.all(sends);
  assert.deepEqual(
    bodies.map((body) => readPack(body).length),
    sends.map(() => 1),
  );
});
