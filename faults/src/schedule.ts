// One schedule: four people write into a room and two follow it, by /sync and by the stream, through a world in which one or two things go wrong and hints get
// lost. The seed decides what, to whom and for how long.

import { setTimeout as wait } from "node:timers/promises";
import { type Random, seeded } from "../../testkit/src/log/random.ts";
import { type ClientOptions, type Found, makeRoom, readRoom, startWriter, type Writer } from "./clients.ts";
import { type Fault, faults } from "./faults.ts";
import { judge, type Seen, type Verdict } from "./judge.ts";
import { type Reader, startReader, type Way } from "./readers.ts";
import type { World } from "./world.ts";

export type Outcome = Verdict & {
  seed: number;
  /** The faults, the first one being the one that the schedule is counted under. */
  faults: string[];
  /** The part of the hints that got lost. */
  hintsLost: number;
  /** From the end of the trouble until everybody had written and read again; undefined where that never came. */
  recovery_ms: number | undefined;
  /** Processes that ended by themselves without having to. */
  crashed: string[];
  /** Where the schedule did not come to its end. */
  stuck?: string;
};

/** How people follow. */
const READERS: readonly Way[] = ["sync", "stream"];
const EXTRA_FAULT = 0.3;
/** Before the first fault, and after it before the second. */
const QUIET_MS = 200;
const BETWEEN_MS = 600;
const DEADLINE_MS = 120_000;
/** How long it may take to read the room in the end. */
const READ_MS = 30_000;
const LOOK_MS = 5;

/** The faults of a seed that can happen in this world. */
export function faultsOf(world: World, seed: number): Fault[] {
  const random = seeded(seed);
  const possible = faults.filter((fault) => fault.missing?.(world) === undefined);
  const first = possible[seed % possible.length] as Fault;
  const others = possible.filter(({ group }) => group !== first.group);
  return random.chance(EXTRA_FAULT) ? [first, random.pick(others)] : [first];
}

export type ScheduleOptions = {
  /** What goes wrong, where not the seed decides it. */
  chosen?: readonly Fault[];
  /** How long it may take in all. */
  deadline_ms?: number;
  /** Is told what everybody saw, before it is judged. */
  watch?(seen: Watched): void;
};

export type Watched = Seen & { found: readonly Found[] };

/** Runs it and checks it. What is wrong is in the outcome; nothing is thrown but what is wrong with the harness itself. */
export async function runSchedule(world: World, seed: number, options: ScheduleOptions = {}): Promise<Outcome> {
  const { chosen = faultsOf(world, seed), deadline_ms = DEADLINE_MS } = options;
  const random = seeded(seed);
  const hintsLost = random.pick([0, 0.5, 1]);
  const outcome = { seed, faults: chosen.map(({ name }) => name), hintsLost, recovery_ms: undefined };
  const crashed = () => world.takeCrashes();
  const giveUp = AbortSignal.timeout(deadline_ms);
  let roomId: string;
  try {
    await allRun(world, giveUp);
    roomId = await makeRoom(world.people, world.addresses(0), giveUp);
  } catch (thrown) {
    const stuck = `before anything went wrong: ${String(thrown)}\n${await world.describe()}`;
    return { ...outcome, ...judge({ sent: [], found: [], received: [] }), crashed: crashed(), stuck };
  }
  world.loseHints(hintsLost);
  const seen = await runIn(world, { random, chosen, roomId, giveUp, seed, watch: options.watch });
  return { ...outcome, ...seen, crashed: crashed() };
}

/** Processes that the schedule before has ended may still be starting. */
async function allRun({ cluster }: World, giveUp: AbortSignal): Promise<void> {
  while (!cluster.members.every(({ isRunning }) => isRunning)) {
    giveUp.throwIfAborted();
    await wait(LOOK_MS);
  }
}

type Stage = { random: Random; chosen: readonly Fault[]; roomId: string; giveUp: AbortSignal; seed: number } & Pick<
  ScheduleOptions,
  "watch"
>;

async function runIn(world: World, { random, chosen, roomId, giveUp, seed, watch }: Stage) {
  const [stopWriting, stopReading] = [new AbortController(), new AbortController()];
  const clientAt = (i: number, stop: AbortController): ClientOptions => ({
    person: world.people[i % world.people.length] as ClientOptions["person"],
    roomId,
    addresses: world.addresses(i),
    chance: random.next,
    stop: stop.signal,
    giveUp,
  });
  const readers = READERS.map((way, i) => startReader(way, clientAt(i, stopReading)));
  const writers = world.people.map((_, i) => startWriter(`w${seed}-${i}`, clientAt(i, stopWriting)));
  const running = Promise.all([...writers, ...readers].map((each) => each.running));
  running.catch(() => {});
  let stuck: string | undefined;
  let recovery_ms: number | undefined;
  const over = new AbortController();
  const waiting = AbortSignal.any([giveUp, over.signal]);
  const troubled = trouble({ world, random, chosen, writers, readers, giveUp: waiting });
  try {
    recovery_ms = await Promise.race([troubled, fails(running)]);
    world.loseHints(0);
    stopWriting.abort();
    await Promise.all(writers.map((writer) => writer.running));
    await Promise.race([caughtUp(writers, readers, giveUp), fails(running)]);
  } catch (thrown) {
    stuck = `${String(thrown)}\n${await world.describe()}`;
  }
  // A fault that has begun goes to its end: it may be about to start a server again.
  over.abort();
  await troubled.catch(() => {});
  world.loseHints(0);
  stopWriting.abort();
  stopReading.abort();
  await running.catch(() => {});
  const last = { ...clientAt(0, stopReading), giveUp: AbortSignal.timeout(READ_MS) };
  const found = await readRoom(last).catch((thrown: unknown) => {
    stuck ??= `the room could not be read: ${String(thrown)}`;
    return undefined;
  });
  // Without the room nothing can be said but that.
  if (!found) return { ...judge({ sent: [], found: [], received: [] }), recovery_ms, stuck: stuck as string };
  const sent = writers.flatMap((writer) => writer.sent);
  const seen = { sent, found, received: readers.map(({ received }) => received) };
  watch?.(seen);
  const verdict = judge(seen);
  return { ...verdict, recovery_ms, ...(stuck === undefined ? {} : { stuck }) };
}

/** Rejects when one of the clients fails; never resolves. */
async function fails(running: Promise<unknown>): Promise<never> {
  await running;
  return new Promise(() => {});
}

type Scene = {
  world: World;
  random: Random;
  chosen: readonly Fault[];
  writers: readonly Writer[];
  readers: readonly Reader[];
  giveUp: AbortSignal;
};

/** Lets the faults happen, and gives how long it took after the last of them until everybody was served again. */
async function trouble({ world, random, chosen, writers, readers, giveUp }: Scene): Promise<number> {
  // Everybody is at work before anything happens.
  await served(writers, readers, { since: writers.map(() => 0), giveUp });
  const end = { over_ms: 0, since: [] as number[] };
  const noted = chosen.map(() => Promise.withResolvers<void>());
  const happening = chosen.map(async (fault, i) => {
    await wait(QUIET_MS + i * random.below(BETWEEN_MS));
    await fault.run(world, random, () => {
      end.over_ms = performance.now();
      end.since = writers.map(({ sent }) => sent.length);
      noted[i]?.resolve();
    });
  });
  const mended = Promise.all(happening);
  try {
    await Promise.race([Promise.all(noted.map(({ promise }) => promise)), mended]);
    await served(writers, readers, { since: end.since, giveUp });
    return performance.now() - end.over_ms;
  } finally {
    await mended;
  }
}

/** Resolves when each writer has been answered a message that it began later than `since`, and each reader has it. */
async function served(
  writers: readonly Writer[],
  readers: readonly Reader[],
  { since, giveUp }: { since: readonly number[]; giveUp: AbortSignal },
): Promise<void> {
  for (;;) {
    const answers = writers.map(({ sent }, i) => sent[since[i] as number]?.answers[0]);
    const areRead = readers.every(({ received }) => answers.every((id) => id !== undefined && received.includes(id)));
    if (areRead) return;
    if (giveUp.aborted) throw new Error("not everybody was served again");
    await wait(LOOK_MS);
  }
}

/** Resolves when each reader has received everything that was acknowledged. */
async function caughtUp(writers: readonly Writer[], readers: readonly Reader[], giveUp: AbortSignal): Promise<void> {
  const last = writers.flatMap(({ sent }) => sent.findLast(({ answers }) => answers.length > 0)?.answers ?? []);
  while (!readers.every(({ received }) => last.every((id) => received.includes(id)))) {
    if (giveUp.aborted) throw new Error("a reader never received everything");
    await wait(LOOK_MS);
  }
}
