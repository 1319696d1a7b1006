/** A number that tells two logs apart: one missing, one more, one changed or moved entry gives another. */
import type { Connection } from "../db/database.ts";

export interface LogDigest {
  entries: number;
  /** Decimal. */
  digest: string;
}

/** Of the entries up to a position. A sum, so that the database needs no order and no memory for it. */
export async function readDigest(client: Connection, position: number): Promise<LogDigest> {
  const { rows } = await client.query<LogDigest>(
    `select count(*) as entries,
       coalesce(sum(('x' || substr(md5(concat_ws('|', position, kind, event_id, body)), 1, 15))::bit(60)::bigint), 0)::text as digest
     from log.entries where position <= $1`,
    [position],
  );
  return rows[0] as LogDigest;
}

/** The blobs that the database speaks of. */
export const BLOBS_SQL = `select sha256, max(size_bytes) as size_bytes from (
    select sha256, size_bytes from media.media where sha256 is not null
    union all select thumbnail_sha256, size_bytes from media.thumbnails) as blob
  group by sha256 order by sha256`;
