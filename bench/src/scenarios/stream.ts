import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { StreamLoad } from "../../../testkit/src/stream-load.ts";
import { type Bench, measureRuns, measureWindow, type Outcome, perSecond, type Scenario, takeUsers } from "../bench.ts";
import { createMeter, type Meter } from "../meter.ts";
import { openStreamClient, startStreamReaders } from "../stream-readers.ts";
import { scanReader } from "../sync-answer.ts";
import type { WebSocketLink } from "../websocket.ts";
import { measureDeliveries } from "./deliveries.ts";

const FEATURE = "io.parley.stream";
const MEMBERS = 100;

export const streamDeliveries: Scenario = {
  name: "stream-deliveries",
  title: `Deliveries through the stream to ${MEMBERS} clients in one room, sent over HTTP`,
  unit: "deliveries/s",
  goals: [{ of: "p99_ms", below: 50 }],
  needs: { pair: 0, crowd: MEMBERS },
  needsFeature: FEATURE,
  run: (bench) =>
    measureDeliveries(bench, {
      members: MEMBERS,
      senders: Math.min(MEMBERS, bench.options.deliverySenders),
      reader: scanReader,
      value: perSecond,
      start: startStreamReaders,
    }),
};

export const streamFanOut: Scenario = {
  name: "stream-fan-out",
  title: `The stream's way out: rooms of ${MEMBERS}, messages appended to Parley's log without HTTP`,
  unit: "deliveries/s",
  goals: [{ of: "value", atLeast: 300_000 }],
  needs: { pair: 0, crowd: 0 },
  needsFeature: FEATURE,
  run: measureFanOut,
};

const IDLE_USERS = 50;
/** Below what one person may have. */
const IDLE_EACH = 40;

export const streamIdle: Scenario = {
  name: "stream-idle",
  title: `Resident memory of one idle stream, of ${IDLE_USERS * IDLE_EACH}`,
  unit: "kB",
  goals: [{ of: "value", below: 12 }],
  needs: { pair: 0, crowd: IDLE_USERS },
  needsProcess: true,
  needsFeature: FEATURE,
  run: measureIdle,
};

const LOAD = fileURLToPath(new URL("../../../testkit/src/stream-load.ts", import.meta.url));

/** Starts a server of its own, with the writers inside. The CPU of the server is not in the row: see `rest`. */
async function measureFanOut(bench: Bench): Promise<Outcome> {
  const child = spawn(process.execPath, ["--max-semi-space-size=16", LOAD], { stdio: ["pipe", "pipe", "inherit"] });
  const links: WebSocketLink[] = [];
  try {
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    const { origin, users } = JSON.parse(line) as StreamLoad;
    const meter = createMeter();
    for (const user of users)
      links.push(
        await openStreamClient({
          origin,
          user,
          onAnswer: (body) => countMessages(body, meter),
          onEnd: () => meter.fail("closed"),
        }),
      );
    child.stdin.write("begin\n");
    return { runs: await measureRuns(bench, meter, perSecond), notes: [] };
  } finally {
    for (const link of links) link.destroy();
    await endOf(child);
  }
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
function countMessages(body: Buffer, meter: Meter): string | undefined {
  const now_ms = performance.timeOrigin + performance.now();
  for (let at = body.indexOf(BODY); at >= 0; at = body.indexOf(BODY, at + BODY.length)) {
    const start = at + BODY.length;
    meter.hit(now_ms - Number(body.toString("latin1", start, start + STAMP)));
  }
  const token = body.lastIndexOf(NEXT) + NEXT.length;
  return body.toString("latin1", token, body.indexOf('"', token));
}

/** Time for what the server does after the last sign-in, such as collecting garbage. */
const SETTLE_MS = 5_000;

async function measureIdle(bench: Bench): Promise<Outcome> {
  const users = takeUsers(bench.crowd, IDLE_USERS);
  const links: WebSocketLink[] = [];
  const open = async () => {
    for (const user of users)
      for (let i = 0; i < IDLE_EACH; i++) {
        const options = { origin: bench.origin, user, onAnswer: () => undefined, onEnd: () => undefined };
        links.push(await openStreamClient(options));
        bench.progress(`streams ${links.length}/${IDLE_USERS * IDLE_EACH}`);
      }
  };
  const resident = (): number => {
    const memory = bench.probe.memory();
    if (memory === undefined) throw new Error("the server's process has ended");
    return memory.server_bytes;
  };
  // What the first sign-ins load for good is no part of a connection.
  for (const user of users)
    (
      await openStreamClient({ origin: bench.origin, user, onAnswer: () => undefined, onEnd: () => undefined })
    ).destroy();
  await sleep(SETTLE_MS);
  const before_bytes = resident();
  let each_kB = 0;
  const until = async () => {
    await open();
    await sleep(SETTLE_MS);
    each_kB = (resident() - before_bytes) / links.length / 1_000;
  };
  try {
    const run = await measureWindow(bench, { meter: createMeter(), value: () => each_kB, until });
    return { runs: [{ ...run, count: links.length }], notes: [] };
  } finally {
    for (const link of links) link.destroy();
  }
}
