/**
 * How a server process is run from a checkout: `npm start` and the benchmark do it alike.
 *
 * What keeps its memory small, each measured with 1,000 rooms loaded: the compile cache (types are stripped once, and the
 * stripper is not loaded again), a V8 that prefers less memory, and a C library that gives freed blocks back (an argon2 hash
 * takes 19 MiB for a moment, which it would otherwise keep).
 */
import { inRepo } from "./paths.mjs";

export const serverFlags = [
  "--disable-warning=ExperimentalWarning",
  "--optimize-for-size",
  "--max-semi-space-size=16",
  "--heap-growing-percent=15",
];

export const serverEnvironment = {
  NODE_COMPILE_CACHE: inRepo(".runtime", "compiled"),
  MALLOC_ARENA_MAX: "2",
  MALLOC_MMAP_THRESHOLD_: "1048576",
  MALLOC_TRIM_THRESHOLD_: "1048576",
};
