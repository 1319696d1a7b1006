/** Chance that can be repeated: the same seed gives the same numbers. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  below(most: number): number;
  chance(probability: number): boolean;
  pick<T>(of: readonly T[]): T;
}

/** mulberry32: small, even enough for tests, and the same everywhere. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (most: number) => Math.floor(next() * most);
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick: (of) => of[below(of.length)] as (typeof of)[number],
  };
}

/** The seed of this run: the one of PARLEY_TEST_SEED, to repeat a failure, else a new one. */
export function seedOfRun(): number {
  const given = process.env["PARLEY_TEST_SEED"];
  return given ? Number(given) : Math.floor(Math.random() * 1_000_000_000);
}
