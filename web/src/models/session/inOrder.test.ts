import assert from "node:assert/strict";
import { test } from "node:test";
import { inOrder } from "./inOrder.ts";

const KEY = "https://a.example/_matrix/client/v3/sendToDevice/m.key.verification.mac/1";
const DONE = "https://a.example/_matrix/client/v3/sendToDevice/m.key.verification.done/2";

/** A fetch that answers when told to. */
function line() {
  const begun: { address: string; answer: () => void; fail: () => void }[] = [];
  const base = ((resource: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const answer = () => resolve(new Response("{}"));
    begun.push({ address: resource, answer, fail: () => reject(new TypeError("no network")) });
    return promise;
  }) as typeof fetch;
  return { begun, send: inOrder(base) };
}

const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));

test("a to-device message waits for the one before it, and nothing else waits", async () => {
  const { begun, send } = line();
  const first = send(KEY);
  const second = send(DONE);
  void send("https://a.example/_matrix/client/v3/sync");
  await turn();
  assert.deepEqual(
    begun.map(({ address }) => address),
    ["https://a.example/_matrix/client/v3/sync", KEY],
  );
  begun[1]?.answer();
  await first;
  await turn();
  assert.equal(begun[2]?.address, DONE);
  begun[2]?.answer();
  assert.equal((await second).status, 200);
});

test("one that fails is told so, and the next one goes all the same", async () => {
  const { begun, send } = line();
  const first = send(KEY);
  const second = send(DONE);
  await turn();
  begun[0]?.fail();
  await assert.rejects(first, /no network/);
  await turn();
  begun[1]?.answer();
  assert.equal((await second).status, 200);
});
