/**
 * What Parley counted, in log.samples: a row for each minute of the last day, and one for each quarter of an hour of the last month.
 * The table stays below 5,000 rows, however many processes there are: all add to the same row.
 */
import type { Db } from "../db/database.ts";
import { limits } from "../limits.ts";
import type { Numbers } from "./numbers.ts";

export const MINUTE_MS = 60_000;
export const QUARTER_MS = 900_000;

export interface Sample {
  at_ms: number;
  numbers: Numbers;
  /** Where it is of less than its step. */
  covers_ms?: number;
}

/** The minute that was over last. */
export function lastMinute_ms(now_ms: number): number {
  return Math.floor(now_ms / MINUTE_MS) * MINUTE_MS - MINUTE_MS;
}

/** Adds the numbers to those of the minute, and removes what is too old. */
export async function addSample(db: Db, { at_ms, numbers }: Sample): Promise<void> {
  await db.change(
    `with old as (delete from log.samples where step_s = 60 and at < to_timestamp($1::float8 / 1000) - $3 * interval '1 millisecond')
     insert into log.samples as s (step_s, at, numbers) values (60, to_timestamp($1::float8 / 1000), $2::jsonb)
     on conflict (step_s, at) do update set numbers = log.add_numbers(s.numbers, excluded.numbers)`,
    [at_ms, JSON.stringify(numbers), limits.samplesByMinute_ms],
  );
}

/** Those of one step from a moment on, the oldest first. */
export function readSamples(db: Db, step_s: 60 | 900, from_ms: number): Promise<Sample[]> {
  return db.query<Sample>(
    `select floor(extract(epoch from at) * 1000)::bigint as at_ms, numbers
     from log.samples where step_s = $1 and at >= to_timestamp($2::float8 / 1000) order by at`,
    [step_s, from_ms],
  );
}

/**
 * Takes the minute that was over last by the database's clock, so that a worker whose own is fast takes none that is to come.
 * Gives when it began, in ms; undefined where somebody has it already. A mark that is ahead, since the clock was set back, counts for nothing.
 */
export async function claimMinute(db: Db): Promise<number | undefined> {
  const claimed = await db.one<{ at_ms: number }>(
    `update log.gathered set at = date_trunc('minute', now()) - interval '1 minute'
     where at < date_trunc('minute', now()) - interval '1 minute' or at > now()
     returning floor(extract(epoch from at) * 1000)::bigint as at_ms`,
  );
  return claimed?.at_ms;
}

/**
 * Makes the rows of the quarters that are over from those of their minutes: of counts the sum, of gauges the mean. A quarter
 * whose minutes are still there is made again, so that a late minute is in it. Removes those that are too old.
 */
export async function rollUp(db: Db, now_ms: number, isCount: (name: string) => boolean): Promise<void> {
  const newest_ms = Math.floor((now_ms - MINUTE_MS) / QUARTER_MS) * QUARTER_MS;
  const minutes = await readSamples(db, 60, newest_ms - limits.samplesRolled_ms);
  const quarters = Map.groupBy(
    minutes.filter(({ at_ms }) => at_ms < newest_ms),
    ({ at_ms }) => Math.floor(at_ms / QUARTER_MS) * QUARTER_MS,
  );
  const made = [...quarters].map(([at_ms, samples]) => ({ at_ms, numbers: merged(samples, isCount) }));
  await db.change(
    `with old as (delete from log.samples where step_s = 900 and at < to_timestamp($1::float8 / 1000) - $2 * interval '1 millisecond')
     insert into log.samples (step_s, at, numbers)
     select 900, to_timestamp(at_ms / 1000), numbers from unnest($3::float8[], $4::jsonb[]) as n(at_ms, numbers)
     on conflict (step_s, at) do update set numbers = excluded.numbers`,
    [
      now_ms,
      limits.samplesByQuarter_ms,
      made.map(({ at_ms }) => at_ms),
      made.map(({ numbers }) => JSON.stringify(numbers)),
    ],
  );
}

/** Of counts the sum, of gauges the mean of the samples that have them. */
export function merged(samples: readonly Sample[], isCount: (name: string) => boolean): Numbers {
  const sums = new Map<string, { sum: number; times: number }>();
  for (const { numbers } of samples)
    for (const [name, value] of Object.entries(numbers)) {
      const has = sums.get(name) ?? { sum: 0, times: 0 };
      sums.set(name, { sum: has.sum + value, times: has.times + 1 });
    }
  return Object.fromEntries([...sums].map(([name, { sum, times }]) => [name, isCount(name) ? sum : sum / times]));
}
