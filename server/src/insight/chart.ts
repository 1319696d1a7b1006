/** Series over a stretch of time, on a grid without gaps: null where nothing is known. */
import type { Context } from "../context.ts";
import { MINUTE_MS, merged, QUARTER_MS, readSamples, type Sample } from "./samples.ts";
import { allSeries, isCount, type Series, type SeriesName } from "./series.ts";

const HOUR_MS = 3_600_000;

/** How far back, and in which steps. */
export const ranges = {
  "1h": { length_ms: HOUR_MS, step_ms: MINUTE_MS },
  "6h": { length_ms: 6 * HOUR_MS, step_ms: MINUTE_MS },
  "24h": { length_ms: 24 * HOUR_MS, step_ms: QUARTER_MS },
  "7d": { length_ms: 7 * 24 * HOUR_MS, step_ms: QUARTER_MS },
  "30d": { length_ms: 30 * 24 * HOUR_MS, step_ms: QUARTER_MS },
} as const;
export type Range = keyof typeof ranges;
export const rangeNames = Object.keys(ranges) as Range[];

export interface Chart {
  from_ms: number;
  step_ms: number;
  series: { name: SeriesName; values: (number | null)[] }[];
}

/** The step that is not over yet is among them, of what is known of it. */
export async function readChart(ctx: Context, range: Range, names: readonly SeriesName[]): Promise<Chart> {
  const { length_ms, step_ms } = ranges[range];
  const now_ms = ctx.seams.now_ms();
  const from_ms = Math.floor((now_ms - length_ms) / step_ms) * step_ms + step_ms;
  const samples = step_ms === MINUTE_MS ? await readSamples(ctx.db.log, 60, from_ms) : await quarters(ctx, from_ms);
  const steps = Math.floor((now_ms - from_ms) / step_ms) + 1;
  const grid = new Map(samples.map((sample) => [(sample.at_ms - from_ms) / step_ms, sample]));
  return {
    from_ms,
    step_ms,
    series: names.map((name) => ({
      name,
      values: held(
        name,
        step_ms,
        Array.from({ length: steps }, (_, i) => valueOf(grid.get(i), name, step_ms)),
      ),
    })),
  };
}

/** Of a series that is counted now and then, the last value until the next is due. */
function held(name: SeriesName, step_ms: number, values: (number | null)[]): (number | null)[] {
  const { isSlow = false }: Series = allSeries[name];
  if (!isSlow) return values;
  let [last, age] = [null as number | null, 0];
  return values.map((value) => {
    if (value !== null) [last, age] = [value, 0];
    return (age += 1) <= QUARTER_MS / step_ms + 1 ? last : null;
  });
}

function valueOf(sample: Sample | undefined, name: SeriesName, step_ms: number): number | null {
  return sample ? allSeries[name].of(sample.numbers, (sample.covers_ms ?? step_ms) / 1_000) : null;
}

/** Those that were rolled up, and what the minutes say of those that were not. */
async function quarters(ctx: Context, from_ms: number): Promise<Sample[]> {
  const rolled = await readSamples(ctx.db.log, 900, from_ms);
  const after_ms = (rolled.at(-1)?.at_ms ?? from_ms - QUARTER_MS) + QUARTER_MS;
  const minutes = await readSamples(ctx.db.log, 60, after_ms);
  const open = Map.groupBy(minutes, ({ at_ms }) => Math.floor(at_ms / QUARTER_MS) * QUARTER_MS);
  const made = [...open].map(([at_ms, samples]) => ({
    at_ms,
    numbers: merged(samples, isCount),
    covers_ms: samples.length * MINUTE_MS,
  }));
  return [...rolled, ...made];
}

/** The newest value that is known, or what the last hour had where it is told by the hour; null where that has none. */
export async function readNewest(ctx: Context): Promise<(name: SeriesName) => number | null> {
  const samples = await readSamples(ctx.db.log, 60, ctx.seams.now_ms() - HOUR_MS);
  // The minute that was over last may lack those who have not told theirs yet.
  const whole = samples.slice(0, samples.length > 1 ? -1 : undefined).toReversed();
  return (name) => {
    // One busy minute is no hour: what was counted in it must not be told as sixty times as much.
    if (allSeries[name].unit === "per hour")
      return samples.length === 0 ? null : allSeries[name].of(merged(samples, isCount), HOUR_MS / 1_000);
    for (const { numbers } of whole) {
      const value = allSeries[name].of(numbers, MINUTE_MS / 1_000);
      if (value !== null) return value;
    }
    return null;
  };
}
