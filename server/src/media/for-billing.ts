/** What billing counts of media: how large they are together, never what they are. */
import type { Reader } from "../db/database.ts";

/** Bytes of all files in the store. One that was uploaded twice is there once. */
export async function storedBytes(db: Reader): Promise<number> {
  const row = await db.one<{ bytes: number }>(
    `select coalesce(sum(size_bytes), 0)::bigint as bytes from (
       select sha256, max(size_bytes) as size_bytes from (
         select sha256, size_bytes from media.media where sha256 is not null
         union all select thumbnail_sha256, size_bytes from media.thumbnails
       ) all_files group by sha256
     ) files`,
  );
  return row?.bytes ?? 0;
}
