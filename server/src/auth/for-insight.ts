/** How many people there are, and use Parley, in numbers alone. */
import type { Context } from "../context.ts";

export interface Activity {
  accounts: number;
  /** Whose devices were seen in the last 24 hours and 30 days. Devices that were signed out meanwhile are not among them. */
  active_day: number;
  active_month: number;
}

export async function countPeople(ctx: Context): Promise<Activity> {
  const row = await ctx.db.auth.one<Activity>(
    `select (select count(*) from auth.accounts where deactivated_at is null) as accounts,
       count(distinct user_id) filter (where last_seen_at > now() - interval '1 day') as active_day,
       count(distinct user_id) as active_month
     from auth.sessions where last_seen_at > now() - interval '30 days'`,
  );
  return row ?? { accounts: 0, active_day: 0, active_month: 0 };
}

export interface AdministratorRow {
  userId: string;
  devices: string[];
  /** Devices that were not seen for so many days. */
  stale: string[];
}

/** The active administrators with their devices. */
export function listAdministrators(ctx: Context, stale_days: number): Promise<AdministratorRow[]> {
  return ctx.db.auth.query<AdministratorRow>(
    `select a.user_id as "userId", coalesce(array_agg(s.device_id) filter (where s.device_id is not null), '{}') as devices,
       coalesce(array_agg(s.device_id) filter (where s.last_seen_at < now() - $1 * interval '1 day'), '{}') as stale
     from auth.accounts a left join auth.sessions s on s.user_id = a.user_id
     where a.is_admin and a.deactivated_at is null group by a.user_id order by a.user_id`,
    [stale_days],
  );
}
