/**
 * One simulated schedule: a few processes on one log, people who write and people who read, and faults at random moments. The
 * seed decides everything. What everybody was told and saw is recorded, for check.ts.
 */
import type { LogEntry } from "../../../server/src/log/entry.ts";
import { readEntries } from "../../../server/src/log/queries.ts";
import type { Simulation } from "../simulation.ts";
import type { Sent, Stored } from "./check.ts";
import { type SimulatedProcess, startSimulatedProcess } from "./simulated-process.ts";
import { createStore, type SimulatedStore, type StorePlants } from "./simulated-store.ts";

export interface Plants extends StorePlants {
  /** G4: processes never look at the log by themselves. */
  trustsTheBus?: boolean;
  /** G15: the client is told that it succeeded whatever happened. */
  answersTooEarly?: boolean;
}

export interface Recorded {
  sent: Sent[];
  /** Every event id under which a message was ever tried. */
  attempts: Map<string, string[]>;
  stored: Stored[];
  /** What each reader saw by following the log with a token, from one process to another. */
  readers: Stored[][];
  /** What the hub of each process handed out, the dead ones included, with the position at which it began. */
  hubs: Stored[][];
}

const PROCESSES = 3;
const WRITERS = 3;
const READERS = 2;
const MESSAGES = 5;
const FAULTS = 4;
const ROOMS = ["!a", "!b"];
/** How long a client waits for an answer before it tries elsewhere. */
const PATIENCE_MS = 8_000;
/** The last fault has begun by then, and none takes longer than that. */
const TROUBLE_MS = 2_000;
const LONGEST_MS = 12_000;
/** Nobody is kept from writing for longer. */
const RECOVERY_MS = 40_000;

interface Scene {
  world: Simulation;
  store: SimulatedStore;
  plants: Plants;
  /** Those that run now. */
  processes: SimulatedProcess[];
  record: Omit<Recorded, "stored">;
  /** The part of all hints that are lost: none, half of them or all. */
  loss: number;
}

/** Runs the schedule of the world's seed. */
export async function runSchedule(world: Simulation, plants: Plants = {}): Promise<Recorded> {
  const scene: Scene = {
    world,
    store: createStore(world, plants),
    plants,
    processes: [],
    record: { sent: [], attempts: new Map(), readers: [], hubs: [] },
    loss: plants.trustsTheBus ? 1 : world.random.pick([0, 0.5, 1]),
  };
  const stop = new AbortController();
  const starting = Promise.all(Array.from({ length: PROCESSES }, (_, name) => startOne(scene, name)));
  await world.advance(100);
  await starting;
  for (let i = 0; i < FAULTS; i++) world.seams.after(world.random.below(TROUBLE_MS), () => strike(scene));
  const writers = Array.from({ length: WRITERS }, (_, i) => write(scene, `w${i}`));
  const readers = Array.from({ length: READERS }, () => follow(scene, stop.signal));
  const writing = { over: false };
  void Promise.all(writers).then(() => (writing.over = true));
  for (let spent_ms = 0; !writing.over || spent_ms < TROUBLE_MS; spent_ms += 500) {
    if (spent_ms > RECOVERY_MS) throw new Error(`somebody could not write for ${RECOVERY_MS} ms`);
    await world.advance(500);
  }
  await world.advance(LONGEST_MS + PATIENCE_MS);
  stop.abort();
  const done = Promise.all(readers);
  await world.advance(PATIENCE_MS);
  await done;
  for (const process of scene.processes) process.kill();
  const stored = scene.store.entries().map(asStored);
  return { ...scene.record, stored };
}

const asStored = ({ position, eventId }: LogEntry): Stored => ({ position, eventId: eventId as string });

async function startOne(scene: Scene, name: number): Promise<void> {
  const { world, store, plants } = scene;
  const process = await startSimulatedProcess({
    name,
    world,
    store,
    publish: (message) => publish(scene, name, message),
    trustsTheBus: plants.trustsTheBus ?? false,
  });
  scene.record.hubs.push(process.seen);
  scene.processes.push(process);
}

/** A message on the bus: lost, late, doubled or out of order, and now and then with a head that is wrong. */
function publish({ processes, world, loss }: Scene, from: number, message: string): void {
  for (const process of processes) {
    if (process.name === from) continue;
    for (let copies = world.random.chance(0.1) ? 2 : 1; copies > 0; copies--) {
      if (world.random.chance(loss)) continue;
      const told = world.random.chance(0.02)
        ? message.replace(/"head":\d+/, `"head":${world.random.below(200)}`)
        : message;
      world.seams.after(world.random.below(20), () => process.hear(told));
    }
  }
}

/** Something goes wrong, and is mended after a while. */
function strike(scene: Scene): void {
  const { world, store, processes } = scene;
  const { random, seams } = world;
  const process = random.pick(processes);
  const while_ms = 1 + random.below(random.chance(0.2) ? LONGEST_MS : 1_500);
  switch (random.pick(["kill", "kill", "pause", "crash", "failOver", "cut", "cutAll"] as const)) {
    case "kill":
      if (!process) return;
      process.kill();
      processes.splice(processes.indexOf(process), 1);
      seams.after(while_ms, () => void startOne(scene, process.name).catch(() => {}));
      return;
    case "pause":
      return process?.pause(while_ms);
    case "crash":
      store.crash();
      seams.after(while_ms, store.start);
      return;
    case "failOver":
      return store.failOver();
    case "cut":
      return process?.cut();
    case "cutAll":
      for (const each of processes) each.cut();
  }
}

/** A process that runs, as soon as there is one. */
async function reach({ world, processes }: Scene): Promise<SimulatedProcess> {
  while (processes.length === 0) await world.sleep(50);
  return world.random.pick(processes);
}

/** One client: it sends its messages one after the other, and tries each until it has an answer. */
async function write(scene: Scene, writer: string): Promise<void> {
  const { world, record, plants } = scene;
  for (let number = 0; number < MESSAGES; number++) {
    const key = `${writer}-${number}`;
    const sent: Sent = { writer, key, number, answers: [] };
    const tried: string[] = [];
    record.sent.push(sent);
    record.attempts.set(key, tried);
    const wanted = world.random.chance(0.2) ? 2 : 1;
    while (sent.answers.length < wanted) {
      const process = await reach(scene);
      const eventId = `$${key}-${tried.length}`;
      tried.push(eventId);
      const answer = await attempt(scene, process, { key, eventId });
      if (answer !== undefined) sent.answers.push(answer);
      else if (plants.answersTooEarly) sent.answers.push(eventId);
      else await world.sleep(world.random.below(200));
    }
    await world.sleep(world.random.below(300));
  }
}

/** One attempt; undefined where the client does not know what became of it. */
async function attempt(
  { world }: Scene,
  process: SimulatedProcess,
  { key, eventId }: { key: string; eventId: string },
): Promise<string | undefined> {
  const room = world.random.pick(ROOMS);
  const submitted = process.log.append({
    lane: room,
    transaction: { session: 1, key, answer: eventId },
    entries: [{ kind: "event", room, user: "@w:test", event_id: eventId, type: "m.room.message", ts: 0, body: "{}" }],
  });
  const answered = submitted.then(
    (appended) => (appended.outcome === "stale" ? undefined : appended.answer),
    () => undefined,
  );
  return Promise.race([answered, process.death.then(() => undefined), world.sleep(PATIENCE_MS).then(() => undefined)]);
}

/** One reader with a token, which it takes along when its process dies, or when it feels like it. */
async function follow(scene: Scene, signal: AbortSignal): Promise<void> {
  const { world, record } = scene;
  const seen: Stored[] = [];
  record.readers.push(seen);
  let token = 0;
  while (!signal.aborted) {
    const process = await reach(scene);
    const isLate = world.random.chance(0.5);
    for (
      let first = true;
      first || (!process.isDead() && !signal.aborted && !world.random.chance(0.02));
      first = false
    ) {
      const read = first && isLate ? readStored : readTail;
      const { upTo, entries } = await read(world, process, token);
      seen.push(...entries.map(asStored));
      token = Math.max(token, upTo);
    }
  }
}

interface News {
  upTo: number;
  entries: readonly LogEntry[];
}

/** What a client gets that was away for so long that memory does not reach back to its token. */
async function readStored(world: Simulation, process: SimulatedProcess, token: number): Promise<News> {
  const nothing = { upTo: token, entries: [] };
  const read = readEntries(process.db, token, 1_000).catch(() => nothing);
  return Promise.race([read, process.death.then(() => nothing), world.sleep(PATIENCE_MS).then(() => nothing)]);
}

/** What the process has in memory behind the token, as soon as it has some; it is not asked to look. */
async function readTail(world: Simulation, process: SimulatedProcess, token: number): Promise<News> {
  const { hub, tail } = process.log;
  for (let waited_ms = 0; waited_ms < 1_000 && hub.head() <= token && !process.isDead(); waited_ms += 100)
    await world.sleep(100);
  if (process.isDead()) return { upTo: token, entries: [] };
  if (token < tail.floor()) return readStored(world, process, token);
  const entries = ROOMS.flatMap((room) => tail.ofRoom(room, token)).toSorted((a, b) => a.position - b.position);
  return { upTo: hub.head(), entries };
}
