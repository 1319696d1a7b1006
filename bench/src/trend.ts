// Whether memory grows: what a soak makes of its samples.

export interface MemorySample {
  at_ms: number;
  bytes: number;
}

export interface Trend {
  /** Medians of the first and of the last quarter of the samples. */
  first_MB: number;
  last_MB: number;
  /** Least squares over all but the first quarter, in which a server fills what it keeps in memory. */
  slope_MBPerHour: number;
}

const MEGABYTE = 1_000_000;
const HOUR_MS = 3_600_000;
const LEAST_SAMPLES = 8;

/** @throws RangeError for fewer than eight samples, of which nothing could be said. */
export function judgeMemory(samples: readonly MemorySample[]): Trend {
  if (samples.length < LEAST_SAMPLES) throw new RangeError(`needs ${LEAST_SAMPLES} samples, has ${samples.length}`);
  const quarter = Math.floor(samples.length / 4);
  return {
    first_MB: medianOf(samples.slice(0, quarter)) / MEGABYTE,
    last_MB: medianOf(samples.slice(-quarter)) / MEGABYTE,
    slope_MBPerHour: (slopeOf(samples.slice(quarter)) * HOUR_MS) / MEGABYTE,
  };
}

function medianOf(samples: readonly MemorySample[]): number {
  const ordered = samples.map(({ bytes }) => bytes).toSorted((a, b) => a - b);
  const at = (ordered.length - 1) / 2;
  return ((ordered[Math.floor(at)] ?? 0) + (ordered[Math.ceil(at)] ?? 0)) / 2;
}

/** Bytes per millisecond. */
function slopeOf(samples: readonly MemorySample[]): number {
  const mean = (of: (sample: MemorySample) => number) =>
    samples.reduce((sum, one) => sum + of(one), 0) / samples.length;
  const [at, bytes] = [mean((one) => one.at_ms), mean((one) => one.bytes)];
  return mean((one) => (one.at_ms - at) * (one.bytes - bytes)) / mean((one) => (one.at_ms - at) ** 2);
}
