/**
 * One server process of a simulation: the real log (lanes, hub, tail) over the simulated store and bus. It can be killed, paused
 * and cut off; when it is dead, nothing that it had begun goes on here.
 */
import type { Database } from "../../../server/src/db/database.ts";
import type { Bus } from "../../../server/src/bus/bus.ts";
import { followHints, openHints } from "../../../server/src/log/hints.ts";
import { type Log, openLog } from "../../../server/src/log/open.ts";
import { createLogger } from "../../../server/src/logger.ts";
import { createMetrics } from "../../../server/src/metrics.ts";
import type { Seams } from "../../../server/src/seams.ts";
import type { Simulation } from "../simulation.ts";
import type { Stored } from "./check.ts";
import type { SimulatedStore } from "./simulated-store.ts";

export interface SimulatedProcess {
  name: number;
  log: Log;
  /** The statements of this process. */
  db: Database["log"];
  /** What its hub handed out. */
  seen: Stored[];
  isDead(): boolean;
  /** Resolves when the process is killed. */
  death: Promise<void>;
  kill(): void;
  /** Its timers, its messages and its answers wait for so long. */
  pause(duration_ms: number): void;
  /** Its database connections break. */
  cut(): void;
  /** A message of the bus arrives. */
  hear(message: string): void;
}

export interface ProcessOptions {
  name: number;
  world: Simulation;
  store: SimulatedStore;
  /** Puts a message on the bus, for the other processes. */
  publish(message: string): void;
  /** The planted bug of G4: it never looks at the log by itself. */
  trustsTheBus: boolean;
}

// Counting costs more than a whole schedule, and nobody reads it.
const metrics = createMetrics();
const logger = createLogger("silent");

/** Starts a process; it is there when it has read the head of the log. */
export async function startSimulatedProcess(options: ProcessOptions): Promise<SimulatedProcess> {
  const { name, world, store, publish } = options;
  const { promise: death, resolve: die } = Promise.withResolvers<void>();
  const state = { dead: false, cuts: 0, pausedUntil_ms: 0 };
  const isDead = () => state.dead;
  const left_ms = () => Math.max(0, state.pausedUntil_ms - world.seams.monotonic_ms());
  const seams = seamsOf(world.seams, { isDead, left_ms, trustsTheBus: options.trustsTheBus });
  const db = store.connect({
    name,
    cuts: () => state.cuts,
    isDead,
    latency_ms: () => left_ms() + world.random.below(4),
  }) as Database["log"];
  const bus = busOf((message) => isDead() || publish(message));
  const hints = openHints({ bus, epoch: () => log.epoch });
  const log = await openLog({
    db: { log: db } as Database,
    seams,
    logger,
    metrics,
    announce: hints.announce,
  });
  followHints({ bus, hub: log.hub, epoch: () => log.epoch });
  const seen: Stored[] = [];
  log.hub.listen((entries) =>
    seen.push(...entries.map(({ position, eventId }) => ({ position, eventId: eventId as string }))),
  );
  return {
    name,
    log,
    db,
    seen,
    isDead,
    death,
    kill() {
      state.dead = true;
      log.hub.close();
      die();
    },
    pause: (duration_ms) => void (state.pausedUntil_ms = world.seams.monotonic_ms() + duration_ms),
    cut: () => void (state.cuts += 1),
    hear: (message) => void seams.after(0, () => bus.hear(message)),
  };
}

/** One process's end of the bus. */
function busOf(publish: (message: string) => void): Bus & { hear(message: string): void } {
  const receivers = new Set<(message: string, own: boolean) => void>();
  return {
    packet_bytes: 65_536,
    publish: (_topic, message) => publish(message),
    subscribe(_topic, receive) {
      receivers.add(receive);
      return () => void receivers.delete(receive);
    },
    close: async () => {},
    hear(message) {
      for (const receive of receivers) receive(message, false);
    },
  };
}

interface Life {
  isDead(): boolean;
  /** How long the process still stands still. */
  left_ms(): number;
  trustsTheBus: boolean;
}

/** The timers of a process: none of them runs while it stands still, or after its death. */
function seamsOf(seams: Seams, { isDead, left_ms, trustsTheBus }: Life): Seams {
  const alive = (action: () => void) => () => {
    if (isDead()) return;
    if (left_ms() > 0) seams.after(left_ms(), alive(action));
    else action();
  };
  return {
    ...seams,
    after: (delay_ms, action) => seams.after(delay_ms, alive(action)),
    every: (every_ms, action) =>
      trustsTheBus ? { cancel: () => {} } : seams.every(every_ms, () => void (isDead() || left_ms() > 0 || action())),
  };
}
