/** Whoever asks a server learns of whatever is wrong, also who tries again where a connection breaks. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { startFollowing } from "./following.ts";
import { type Person, request, tryRequest } from "./http.ts";
import { specOrSkip } from "./openapi/spec-dir.ts";
import { soon } from "./wait.ts";
import { startWriting } from "./writers.ts";

const SYNC = "/_matrix/client/v3/sync";
const alice = { token: "pat_alice" } as Person;
const roomId = "!room:localhost";

/** What answers as the test says. */
async function answering(answer: RequestListener): Promise<{ url: string } & Disposable> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]: () => server.close().closeAllConnections(),
  };
}

const json = { "content-type": "application/json" };

test("a request that is left unanswered ends with a sentence, before its answer and in the middle of it", async () => {
  const patience_ms = 50;
  using silent = await answering(() => {});
  using halting = await answering((_request, response) => void response.writeHead(200, json).write("{"));
  for (const { url } of [silent, halting])
    for (const ask of [request, tryRequest])
      await assert.rejects(soon("the request ends", ask(url, "GET", SYNC, { patience_ms })), {
        message: `${url} did not answer GET ${SYNC} within 50 ms.`,
      });
});

test("who would try again learns that a connection broke, and of nothing else", async () => {
  using cutting = await answering((_request, response) => {
    response.writeHead(200, json).write("{", () => response.destroy());
  });
  assert.equal(await tryRequest(cutting.url, "GET", SYNC), undefined);
  cutting[Symbol.dispose]();
  assert.equal(await tryRequest(cutting.url, "GET", SYNC), undefined, "nobody is there");
  await assert.rejects(tryRequest("no address", "GET", SYNC), TypeError);
  await assert.rejects(tryRequest(cutting.url, "GET", SYNC, { signal: AbortSignal.abort() }), { name: "AbortError" });
});

/** The least that a sync may say. */
const NOTHING_NEW = JSON.stringify({
  next_batch: "s1_1",
  device_one_time_keys_count: {},
  device_unused_fallback_key_types: [],
});

test("an answer that the specification does not allow ends who follows and who writes with that", async (t) => {
  if (specOrSkip(t) === undefined) return;
  using server = await answering(({ url }, response) => {
    const isFirst = url?.startsWith(SYNC) && !url.includes("since=");
    response.writeHead(200, json).end(isFirst ? NOTHING_NEW : `{"next_batch":5}`);
  });
  const url = () => server.url;
  const following = await startFollowing(alice, { roomId, url });
  const violation = { name: "AssertionError" };
  // Where it has not ended by itself. That it ends with a failure is asserted below.
  t.after(async () => void (await Promise.allSettled([following[Symbol.asyncDispose]()])));
  await assert.rejects(soon("who follows ends", following.until(["$never"])), violation);
  await assert.rejects(soon("who follows has ended", following[Symbol.asyncDispose]()), violation);
  using writing = startWriting([{ person: alice, roomId }], url, () => 1);
  await assert.rejects(soon("who writes ends", writing.acknowledged(1)), violation);
  await assert.rejects(soon("who writes has ended", writing.finish()), violation);
});
