/** What tells this Parley from others that use the same broker. */
import type { Db } from "../db/database.ts";

export interface Installation {
  /** The name of its channel, subject or exchange. A database restored from a backup has another: it has another history. */
  channel: string;
}

export async function readInstallation(db: Db): Promise<Installation> {
  const row = await db.one<{ id: string; database: string; epoch: number }>(
    // The epoch of the last restore: those that a fail-over began go on with its history.
    `select i.id, d.oid::text as database,
       (select max(e) from generate_series(1, h.epoch) as e where not exists (select from log.forks f where f.epoch = e)) as epoch
     from log.installation i, log.head h, pg_database d where d.datname = current_database()`,
  );
  if (!row) throw new Error("log.installation has no row");
  // A copy of a database has the same id; where it is on the same server, it still is another database.
  return { channel: `parley-${row.id}-${row.database}-${row.epoch}` };
}
