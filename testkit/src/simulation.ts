/**
 * A world for the server's parts that a seed decides: its clock moves only when the simulation says so, its chance can be
 * repeated, and nothing of the real world is touched. Violations are reported with their seed.
 */
import type { Seams, Timer } from "../../server/src/seams.ts";
import { type Random, seeded } from "./log/random.ts";

export interface Simulation {
  seams: Seams;
  random: Random;
  /** Moves the clock on to the next timer and runs it. Gives false where there is none. */
  step(): boolean;
  /** Moves the clock on by so much, running what is due on the way, and lets promises settle after each timer. */
  advance(duration_ms: number): Promise<void>;
  /** Resolves after a time of the virtual clock. */
  sleep(duration_ms: number): Promise<void>;
  /** How many timers are set. */
  timers(): number;
}

interface Planned {
  at_ms: number;
  order: number;
  every_ms: number | undefined;
  action(): void;
}

/** Opens a world that begins at `start_ms`. */
export function simulate(seed: number, start_ms = 1_700_000_000_000): Simulation {
  const random = seeded(seed);
  const planned = new Set<Planned>();
  let now_ms = start_ms;
  let made = 0;

  function plan(delay_ms: number, action: () => void, every_ms?: number): Timer {
    const each = { at_ms: now_ms + Math.max(0, delay_ms), order: made++, every_ms, action };
    planned.add(each);
    return { cancel: () => void planned.delete(each) };
  }

  function next(): Planned | undefined {
    let first: Planned | undefined;
    for (const each of planned)
      if (!first || each.at_ms < first.at_ms || (each.at_ms === first.at_ms && each.order < first.order)) first = each;
    return first;
  }

  function run(each: Planned): void {
    now_ms = Math.max(now_ms, each.at_ms);
    if (each.every_ms === undefined) planned.delete(each);
    else Object.assign(each, { at_ms: now_ms + each.every_ms, order: made++ });
    each.action();
  }

  const seams: Seams = {
    now_ms: () => now_ms,
    monotonic_ms: () => now_ms - start_ms,
    randomBytes: (length) => Buffer.from(Array.from({ length }, () => random.below(256))),
    randomInt: (below) => random.below(below),
    after: (delay_ms, action) => plan(delay_ms, action),
    every: (every_ms, action) => plan(every_ms, action, every_ms),
  };

  return {
    seams,
    random,
    step() {
      const first = next();
      if (first) run(first);
      return first !== undefined;
    },
    async advance(duration_ms) {
      const end_ms = now_ms + duration_ms;
      await settled();
      for (let each = next(); each && each.at_ms <= end_ms; each = next()) {
        run(each);
        await settled();
      }
      now_ms = end_ms;
      await settled();
    },
    sleep: (duration_ms) => new Promise((resolve) => plan(duration_ms, resolve)),
    timers: () => planned.size,
  };
}

/** Lets every promise that can settle now do so: none of the simulated parts waits for the real world. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Runs `check` in a world for each of so many seeds, from PARLEY_TEST_SEED on where it is set. The first failure is thrown with
 * the seed that repeats it.
 */
export async function forSeeds(
  count: number,
  check: (world: Simulation, seed: number) => Promise<void>,
): Promise<void> {
  const given = process.env["PARLEY_TEST_SEED"];
  const first = given ? Number(given) : 1;
  for (let seed = first; seed < first + (given ? 1 : count); seed++) {
    try {
      await check(simulate(seed), seed);
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      throw new Error(`seed ${seed} (repeat it with PARLEY_TEST_SEED=${seed}): ${why}`, { cause: thrown });
    }
  }
}
