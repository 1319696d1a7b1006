/**
 * Each process adds its numbers to the row of each minute, some seconds after the minute is over by its clock. A minute of which
 * the database knows nothing because it was away is part of the next.
 */
import type { Context } from "../context.ts";
import { eachMinute, startRounds } from "../rounds.ts";
import { growth, type Numbers, readOwnNumbers } from "./numbers.ts";
import { addSample, lastMinute_ms } from "./samples.ts";

/** Not all processes at the same moment. */
const SPREAD_MS = 8_000;

/** Starts to sample; gives what ends it. */
export function startSampling(ctx: Context): () => Promise<void> {
  const wait_ms = eachMinute(ctx, ctx.seams.randomInt(SPREAD_MS));
  return startRounds(ctx, { wait_ms, act: openSampler(ctx), failed: "a minute could not be counted" });
}

/** What adds this process's numbers to those of the minute that was over last. */
export function openSampler(ctx: Context): () => Promise<void> {
  let before: Numbers = {};
  return async () => {
    const at_ms = lastMinute_ms(ctx.seams.now_ms());
    const { counts, gauges } = await readOwnNumbers(ctx);
    await addSample(ctx.db.log, { at_ms, numbers: { ...gauges, ...growth(counts, before) } });
    before = counts;
  };
}
