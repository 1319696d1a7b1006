/** What billing counts of people: how many, never who. */
import type { Reader } from "../db/database.ts";

/** People with a device that was used in the last so many days. Accounts that were deactivated are none, nor are guests. */
export async function activePeople(db: Reader, days: number): Promise<number> {
  const row = await db.one<{ people: number }>(
    `select count(distinct s.user_id) as people
     from auth.sessions s join auth.accounts a on a.user_id = s.user_id
     where s.last_seen_at > now() - $1 * interval '1 day' and a.deactivated_at is null and not a.is_guest`,
    [days],
  );
  return row?.people ?? 0;
}
