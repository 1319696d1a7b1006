/** What is asked of billing's tables by those who look at it. */
import type { Reader } from "../db/database.ts";

export interface Backlog {
  /** How long the oldest that is waiting has waited, in seconds; 0 where nothing is. */
  oldest_s: number;
  waiting: number;
  dead: number;
  /** Since the provider's list was read; 0 where it never was. */
  streamAge_s: number;
}

/** How far behind the work is. */
export async function backlog(db: Reader): Promise<Backlog> {
  const row = await db.one<Backlog>(
    `select w.waiting, extract(epoch from coalesce(clock_timestamp() - least(w.oldest, u.oldest), interval '0'))::double precision as "oldest_s",
       (select count(*) from billing.deliveries where state = 'dead') as dead,
       (select coalesce(extract(epoch from clock_timestamp() - looked_at), 0)::double precision from billing.stream) as "streamAge_s"
     from (select count(*) as waiting, min(waiting_since) as oldest from billing.deliveries where state = 'waiting') w,
       (select min(measured_at) as oldest from billing.usage where state = 'waiting') u`,
  );
  if (!row) throw new Error("A statement without from-clauses that are empty gave no row.");
  return row;
}
