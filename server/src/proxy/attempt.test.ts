/** One request to one process: what of it counts as silence. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { soon } from "../../../testkit/src/wait.ts";
import { createLogger } from "../logger.ts";
import { pause, realSeams as seams } from "../seams.ts";
import { attempt, openAgents } from "./attempt.ts";
import { openTargets } from "./targets.ts";

/** Longer than a busy machine may let a process stand still, whose two ends are both here. */
const SILENCE_MS = 3_000;
/** More than what is on its way between the two ends. */
const MUCH_BYTES = 64 * 1_048_576;
const logger = createLogger("silent");

/** Asks a server that answers like this. */
async function asked(answer: (outgoing: ServerResponse) => void) {
  const server = createServer((incoming, outgoing) => {
    if (incoming.url === "/health/ready") outgoing.end();
    else answer(outgoing);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const urls = [`http://127.0.0.1:${(server.address() as AddressInfo).port}`];
  const targets = await openTargets({ urls, seams, logger });
  const agents = openAgents();
  const target = targets.next(new Set());
  assert.ok(target);
  const asking = { method: "GET", path: "/", headers: { host: "a" }, body: Buffer.alloc(0), isRepeatable: true };
  const { answer: incoming } = attempt(target, asking, { agents, seams, silence_ms: SILENCE_MS });
  const end = async () => {
    targets.close();
    agents.plain.destroy();
    server.close().closeAllConnections();
    await once(server, "close");
  };
  return { incoming, [Symbol.asyncDispose]: end };
}

test("an answer that stands still is broken off", async () => {
  await using silent = await asked((outgoing) => void outgoing.writeHead(200, { "content-length": 2 }).write("a"));
  const through = (await silent.incoming).pipe(new PassThrough());
  const broken = once(await silent.incoming, "error");
  through.resume();
  const [error] = (await soon("it is broken off", broken)) as [Error];
  assert.match(error.message, /aborted/);
});

test("an answer that nobody takes is not silent, and comes to its end when somebody does", async () => {
  await using slow = await asked((outgoing) => void outgoing.end(Buffer.alloc(MUCH_BYTES)));
  const incoming = await slow.incoming;
  const through = incoming.pipe(new PassThrough());
  // What is told is what happens within a time.
  await pause(seams, SILENCE_MS * 1.5);
  assert.ok(incoming.isPaused());
  assert.equal((await soon("the rest comes", buffer(through))).length, MUCH_BYTES);
});

test("an answer that nobody took for a while, and that stands still after that, is broken off", async () => {
  await using slow = await asked((outgoing) => void outgoing.writeHead(200, { "content-length": 2 }).write("a"));
  const incoming = await slow.incoming;
  // Full with the first byte, after which nothing comes that would begin the time anew.
  const through = incoming.pipe(new PassThrough({ highWaterMark: 1 }));
  await pause(seams, SILENCE_MS * 1.5);
  assert.ok(incoming.isPaused());
  const broken = once(incoming, "error");
  through.resume();
  await soon("it is broken off", broken);
});
