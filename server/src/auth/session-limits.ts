/**
 * Sessions that are older than operators allow are ended, once a minute, by one of the workers: each takes some that no other
 * has taken. Tokens of bots are not meant: they have an end of their own, or none.
 */
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { eachMinute, startRounds } from "../rounds.ts";
import { endSessions } from "./end-sessions.ts";

export function startEndingSessions(ctx: Context): Promise<() => Promise<void>> {
  const wait_ms = eachMinute(ctx, ctx.seams.randomInt(limits.sessionLimitsSpread_ms));
  const failed = "old sessions could not be ended";
  return Promise.resolve(startRounds(ctx, { wait_ms, act: () => endOldSessions(ctx), failed }));
}

/** Gives of how many people it ended sessions. Ending a session that another worker has just ended does nothing. */
export async function endOldSessions(ctx: Context): Promise<number> {
  const { session_idle_days, session_days } = ctx.controls.now();
  if (session_idle_days === null && session_days === null) return 0;
  const rows = await ctx.db.auth.query<{ userId: string; deviceIds: string[] }>(
    `select user_id as "userId", array_agg(device_id) as "deviceIds" from (
       select user_id, device_id from auth.sessions
       where scopes is null and (last_seen_at < now() - $1 * interval '1 day' or created_at < now() - $2 * interval '1 day')
       order by last_seen_at limit $3
     ) as old group by user_id`,
    [session_idle_days, session_days, limits.sessionsEnded],
  );
  for (const { userId, deviceIds } of rows) {
    if (ctx.stopping.aborted) break;
    await endSessions(ctx, { userId, deviceIds });
  }
  return rows.length;
}
