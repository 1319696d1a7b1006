import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { serverFlags } from "../../scripts/lib/server-process.mjs";
import type { StreamLoad } from "../../testkit/src/stream-load.ts";
import type { Meter } from "./meter.ts";
import { openStreamClient } from "./stream-readers.ts";
import type { WebSocketLink } from "./websocket.ts";

// A server with writers inside of it, and its clients here: what is measured is the way from an append to the sockets.

const LOAD = fileURLToPath(new URL("../../testkit/src/stream-load.ts", import.meta.url));

export interface FanOutOptions {
  /** Hit once for each message that a client reads, with the time since before its append. */
  meter: Meter;
  /** Sees what the first client is told. */
  watch?: (body: Buffer) => void;
  /** How many messages are written in a second; without a pause where nothing is said. */
  perSecond?: number;
}

export interface FanOut extends AsyncDisposable {
  pid: number;
  clients: number;
  /** Lets the writers write. */
  begin(): void;
}

/** Starts the server, whose clients read from now on. Disposing of it ends everything. */
export async function openFanOut({ meter, watch, perSecond = 0 }: FanOutOptions): Promise<FanOut> {
  const child = spawn(process.execPath, [...serverFlags, LOAD, `${perSecond}`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const links: WebSocketLink[] = [];
  const stop = async () => {
    for (const link of links) link.destroy();
    await endOf(child);
  };
  try {
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    const { origin, users } = JSON.parse(line) as StreamLoad;
    for (const [index, user] of users.entries()) {
      const onAnswer = (body: Buffer) => {
        if (index === 0) watch?.(body);
        return countMessages(body, meter);
      };
      links.push(await openStreamClient({ origin, user, onAnswer, onEnd: () => meter.fail("closed") }));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pid: child.pid ?? 0,
    clients: links.length,
    begin: () => void child.stdin.write("begin\n"),
    [Symbol.asyncDispose]: stop,
  };
}

/** Ends a process that ends with its input, and kills it where it does not. */
export async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.stdin?.end();
  await Promise.race([ended, sleep(15_000, undefined, { ref: false }).then(() => child.kill("SIGKILL"))]);
}

const BODY = Buffer.from('"body":"at ');
const STAMP = "1795239603862.1".length;
const NEXT = Buffer.from('"next_batch":"');

/** Each message says when it was handed in. Gives the token. */
export function countMessages(body: Buffer, meter: Pick<Meter, "hit">): string {
  const now_ms = performance.timeOrigin + performance.now();
  for (let at = body.indexOf(BODY); at >= 0; at = body.indexOf(BODY, at + BODY.length)) {
    const start = at + BODY.length;
    meter.hit(now_ms - Number(body.toString("latin1", start, start + STAMP)));
  }
  const token = body.lastIndexOf(NEXT) + NEXT.length;
  return body.toString("latin1", token, body.indexOf('"', token));
}
