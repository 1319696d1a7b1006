/** Makes a run of the retention once a day, where a policy is set: whichever worker looks first. */
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { startRounds } from "../rounds.ts";

/** A run a day, and no second beside one that is under way. */
const DAILY = `insert into console.jobs (kind, parameters, created_by, unique_key)
  select 'retention.run', '{}', 'schedule', 'retention'
  where exists (select from console.retention_policies where room_id = '')
    and not exists (select from console.jobs where kind = 'retention.run' and created_at > now() - $1 * interval '1 millisecond')
  on conflict (unique_key) where state in ('queued', 'running') do nothing`;

/** Makes today's run, if there is none; says whether it did. */
export async function makeDailyRun(ctx: Context): Promise<boolean> {
  return (await ctx.db.console.change(DAILY, [limits.retentionRun_ms])) > 0;
}

/** Looks now and then whether a run is due. */
export function startSchedule(ctx: Context): Promise<() => Promise<void>> {
  const act = () => makeDailyRun(ctx);
  const failed = "a run of the retention could not be made";
  return Promise.resolve(startRounds(ctx, { wait_ms: () => limits.retentionLook_ms, act, failed }));
}
