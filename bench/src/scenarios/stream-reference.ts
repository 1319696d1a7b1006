import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, measureWindow, type Outcome, perSecond, type Scenario } from "../bench.ts";
import { missingCompiler, openBroadcast, serverFrame } from "../broadcast.ts";
import { countMessages, type FanOut, openFanOut } from "../fan-out.ts";
import { createMeter, type Meter } from "../meter.ts";
import { readProcess } from "../processes.ts";
import type { Run } from "../result.ts";

// How near the stream comes to what the machine can do: the load of stream-fan-out, and in turns with it a broadcast of the same
// frames by a C program (epoll-broadcast.c) to clients that read them in the same way. Compared are the rates; the processor time of
// what writes is told beside it, where that of the stream has its log in it, and the making of the frames.

const WATCHED_FRAMES = 500;
const OPEN = Buffer.from('{"type":"sync","sync":');
const CLOSE = Buffer.from("}");

export const streamReference: Scenario = {
  name: "stream-reference",
  title: "A broadcast of the same frames in C, as a multiple of the stream's rate",
  unit: "×",
  goals: [{ of: "value", below: 2 }],
  needs: { pair: 0, crowd: 0 },
  needsFeature: "io.parley.stream",
  missing: missingCompiler,
  run: measureReference,
};

async function measureReference(bench: Bench): Promise<Outcome> {
  const frames: Buffer[] = [];
  const meter = createMeter();
  const watch = (body: Buffer) => {
    if (frames.length < WATCHED_FRAMES) frames.push(serverFrame(Buffer.concat([OPEN, body, CLOSE])));
  };
  await using load = await openFanOut({ meter, watch });
  load.begin();
  await sleep(bench.options.warmup * 1000);
  const messages = messagesIn(frames);
  process.kill(load.pid, "SIGSTOP");
  // What it has stopped in the middle of could not end.
  using _ = { [Symbol.dispose]: () => void process.kill(load.pid, "SIGCONT") };
  return await compare(bench, { load, meter, frames, perFrame: messages / frames.length });
}

interface Comparing {
  load: FanOut;
  meter: Meter;
  frames: readonly Buffer[];
  perFrame: number;
}

/** In turns, so that what else the machine does falls on both. */
async function compare(bench: Bench, { load, meter, frames, perFrame }: Comparing): Promise<Outcome> {
  const counted = createMeter();
  const onMessage = (payload: Buffer) => void countMessages(payload, counted);
  await using broadcast = await openBroadcast({ frames, connections: load.clients, onMessage });
  const runs: Run[] = [];
  const notes = [
    `${frames.length} frames of ${perFrame.toFixed(1)} messages, each written once to ${load.clients} sockets`,
  ];
  for (let turn = 1; turn <= bench.options.runs; turn++) {
    bench.progress(`window ${turn}/${bench.options.runs}`);
    const run = (isRunning: boolean) => void process.kill(load.pid, isRunning ? "SIGCONT" : "SIGSTOP");
    const stream = await turnOf(bench, { pid: load.pid, meter, run });
    const plain = await turnOf(bench, { pid: broadcast.pid, meter: counted, run: (is) => broadcast.run(is) });
    const value = plain.run.value / stream.run.value;
    runs.push({ ...stream.run, value });
    notes.push(`${told("the stream", stream)}; ${told("in C", plain)}; ${value.toFixed(2)} × the rate`);
  }
  return { runs, notes };
}

interface Turn {
  pid: number;
  meter: Meter;
  run(isRunning: boolean): void;
}

interface Taken {
  run: Run;
  /** Processor time of the process that writes, its log and its composing included. */
  each_us: number;
}

const SETTLE_MS = 500;

/** Lets one of the two run for a window. */
async function turnOf(bench: Bench, { pid, meter, run }: Turn): Promise<Taken> {
  const cpu_ms = () => readProcess(pid)?.cpu_ms ?? 0;
  run(true);
  await sleep(SETTLE_MS);
  const before_ms = cpu_ms();
  const until = () => sleep(bench.options.seconds * 1000);
  const taken = await measureWindow(bench, { meter, value: perSecond, until });
  const each_us = ((cpu_ms() - before_ms) * 1000) / Math.max(1, taken.count);
  run(false);
  await sleep(SETTLE_MS); // what is on its way to the clients
  return { run: taken, each_us };
}

function told(name: string, { run, each_us }: Taken): string {
  return `${name} ${Math.round(run.value).toLocaleString("en-US")}/s at ${each_us.toFixed(2)} µs of processor time each`;
}

function messagesIn(frames: readonly Buffer[]): number {
  let count = 0;
  for (const frame of frames) countMessages(frame, { hit: () => void count++ });
  if (count === 0) throw new Error("the stream told nothing while the load ran");
  return count;
}
