/** How much is stored, in numbers alone. */
import type { Context } from "../context.ts";

/** The bytes of all files and thumbnails, each once however often it was uploaded. */
export async function countStored_bytes(ctx: Context): Promise<number> {
  const row = await ctx.db.media.one<{ bytes: number }>(
    `select coalesce(sum(size_bytes), 0)::bigint as bytes from (
       select sha256, max(size_bytes) as size_bytes from media.media where sha256 is not null group by sha256
       union select thumbnail_sha256, max(size_bytes) from media.thumbnails group by thumbnail_sha256
     ) as files`,
  );
  return row?.bytes ?? 0;
}
