/**
 * How a server process is run from a checkout: `npm start` and the benchmark do it alike.
 *
 * Young objects have room to die young: with V8's default, and all the more with --optimize-for-size, half of what a send
 * allocates outlives its space and is collected at ten times the cost.
 *
 * What keeps its memory small, each measured with 1,000 rooms loaded: the compile cache (types are stripped once, and the
 * stripper is not loaded again), collections in quiet moments (server/src/memory-at-rest.ts, which needs --expose-gc), and a C
 * library that gives freed blocks back (an argon2 hash takes 19 MiB for a moment, which it would otherwise keep).
 */
import { inRepo } from "./paths.mjs";

export const serverFlags = [
  "--disable-warning=ExperimentalWarning",
  "--min-semi-space-size=16",
  "--max-semi-space-size=16",
  "--expose-gc",
];

export const serverEnvironment = {
  NODE_COMPILE_CACHE: inRepo(".runtime", "compiled"),
  MALLOC_ARENA_MAX: "2",
  MALLOC_MMAP_THRESHOLD_: "1048576",
  MALLOC_TRIM_THRESHOLD_: "1048576",
};
