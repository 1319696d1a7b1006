// Latency samples of one measured window, kept exactly (no buckets): a window holds at most some
// hundred thousand of them, and sorting them once afterwards costs less than being wrong.

/** What is told of a window's latencies; absent when nothing was measured. All in milliseconds. */
export interface Spread {
  p50_ms: number;
  p99_ms: number;
  max_ms: number;
}

/** A growing list of latencies. `add` costs no allocation but for the rare doubling. */
export interface Samples {
  add(latency_ms: number): void;
  /** The samples so far, ascending; the list itself goes on unchanged. */
  sorted(): Float64Array;
}

const FIRST_CAPACITY = 4096;

export function createSamples(): Samples {
  let values = new Float64Array(FIRST_CAPACITY);
  let count = 0;
  return {
    add(latency_ms) {
      if (count === values.length) {
        const larger = new Float64Array(values.length * 2);
        larger.set(values);
        values = larger;
      }
      values[count++] = latency_ms;
    },
    sorted: () => values.subarray(0, count).toSorted(),
  };
}

/**
 * The nearest-rank percentile: the smallest sample that at least `percent` % of the samples do not
 * exceed. It is always a latency that really happened, never an interpolation.
 * @throws RangeError without samples, or for a percentage outside (0, 100].
 */
export function percentile(sorted: Float64Array, percent: number): number {
  if (!(percent > 0 && percent <= 100)) throw new RangeError(`not a percentage: ${percent}`);
  const rank = Math.ceil((percent / 100) * sorted.length);
  const value = sorted[rank - 1];
  if (value === undefined) throw new RangeError("no samples");
  return value;
}

export function spread(sorted: Float64Array): Spread | undefined {
  if (sorted.length === 0) return undefined;
  return {
    p50_ms: percentile(sorted, 50),
    p99_ms: percentile(sorted, 99),
    max_ms: percentile(sorted, 100),
  };
}

/** The run in the middle by `value`; of an even number, the lower of the two. */
export function medianBy<T>(runs: readonly T[], value: (run: T) => number): T {
  const ordered = runs.toSorted((a, b) => value(a) - value(b));
  const middle = ordered[Math.floor((ordered.length - 1) / 2)];
  if (middle === undefined) throw new RangeError("no runs");
  return middle;
}
