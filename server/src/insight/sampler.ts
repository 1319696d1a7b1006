/**
 * Each process adds its numbers to the row of each minute, some seconds after the minute is over by its clock. A minute of which
 * the database knows nothing because it was away is part of the next.
 */
import type { Context } from "../context.ts";
import { asError } from "../errors.ts";
import type { Timer } from "../seams.ts";
import { growth, type Numbers, readOwnNumbers } from "./numbers.ts";
import { addSample, lastMinute_ms, MINUTE_MS } from "./samples.ts";

/** Not all processes at the same moment. */
const SPREAD_MS = 8_000;

/** Calls `act` once in each minute, `delay_ms` after it begins; not again while it is still at it. Gives what ends that. */
export function eachMinute(
  { seams, logger }: Context,
  delay_ms: number,
  act: () => Promise<void>,
): () => Promise<void> {
  let timer: Timer;
  let running: Promise<void> = Promise.resolve();
  let isOver = false;

  function plan(): void {
    const wait_ms = MINUTE_MS - (seams.now_ms() % MINUTE_MS) + delay_ms;
    timer = seams.after(wait_ms, () => {
      running = act()
        .catch((thrown: unknown) => logger.warn({ reason: asError(thrown).message }, "a minute could not be counted"))
        .finally(() => isOver || plan());
    });
  }

  plan();
  return async () => {
    isOver = true;
    timer.cancel();
    await running;
  };
}

/** Starts to sample; gives what ends it. */
export function startSampling(ctx: Context): () => Promise<void> {
  const takeSample = openSampler(ctx);
  return eachMinute(ctx, ctx.seams.randomInt(SPREAD_MS), takeSample);
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
