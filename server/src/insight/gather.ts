/** What belongs to no process is counted by one of the workers: once a minute what is cheap, once in a quarter of an hour the rest. */
import { countPeople } from "../auth/for-insight.ts";
import type { Context } from "../context.ts";
import { countStored_bytes } from "../media/for-insight.ts";
import { countPushers } from "../push/for-insight.ts";
import { eachMinute, startRounds } from "../rounds.ts";
import { countFailedJobs } from "./attention.ts";
import { keepHealth, lookAtHealth } from "./health.ts";
import type { Numbers } from "./numbers.ts";
import { addSample, claimMinute, MINUTE_MS, QUARTER_MS, readSamples, rollUp } from "./samples.ts";
import { isCount } from "./series.ts";

/** When all processes have told their numbers of the minute. */
const AFTER_OTHERS_MS = 15_000;

export function startGathering(ctx: Context): Promise<() => Promise<void>> {
  const wait_ms = eachMinute(ctx, AFTER_OTHERS_MS);
  const failed = "what belongs to no process could not be counted";
  return Promise.resolve(startRounds(ctx, { wait_ms, act: () => gather(ctx), failed }));
}

/** Counts for the minute that was over last, unless another process does. */
export async function gather(ctx: Context): Promise<void> {
  const at_ms = await claimMinute(ctx.db.log);
  if (at_ms === undefined) return;
  const slow = (await isSlowDue(ctx, at_ms)) ? await countSlowly(ctx) : {};
  await addSample(ctx.db.log, { at_ms, numbers: { ...(await countQuickly(ctx)), ...slow } });
  await rollUp(ctx.db.log, at_ms + MINUTE_MS, isCount);
  await keepHealth(ctx, await lookAtHealth(ctx));
}

/** In the first minute of a quarter, and where nothing was counted yet. */
async function isSlowDue(ctx: Context, at_ms: number): Promise<boolean> {
  if (at_ms % QUARTER_MS === 0) return true;
  const recent = await readSamples(ctx.db.log, 60, at_ms - QUARTER_MS);
  return !recent.some(({ numbers }) => numbers["active_month"] !== undefined);
}

async function countQuickly(ctx: Context): Promise<Numbers> {
  const depths = (await ctx.queue?.depths()) ?? [];
  const { pushers, failing, late } = await countPushers(ctx);
  return {
    online: countOnline(ctx),
    queue_waiting: depths.reduce((sum, { waiting }) => sum + waiting, 0),
    dead_letters: depths.reduce((sum, { dead }) => sum + dead, 0),
    jobs_failed: await countFailedJobs(ctx),
    pushers,
    pushers_failing: failing,
    pushers_late: late,
  };
}

/** Of the people whose presence is kept in memory. */
function countOnline({ ephemeral }: Context): number {
  let online = 0;
  for (const { presence } of ephemeral.presenceChanges(0)) if (presence.state !== "offline") online += 1;
  return online;
}

async function countSlowly(ctx: Context): Promise<Numbers> {
  const database = await ctx.db.log.one<{ bytes: number }>("select pg_database_size(current_database()) as bytes");
  return {
    ...(await countPeople(ctx)),
    storage_bytes: await countStored_bytes(ctx),
    database_bytes: database?.bytes ?? 0,
  };
}
