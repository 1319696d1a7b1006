/**
 * Deleting files. A file's record goes together with a note that its bytes are to go; then the bytes do, if no other file has the
 * same. A process that dies in between leaves the note, and the next that deletes anything goes on with it.
 *
 * Somebody may be uploading the same bytes meanwhile, find them there, and have them taken away. So the note is written before it is
 * looked whether another file has the bytes, and whoever uploads looks for a note after their own record is written: one
 * of the two sees the other (`refuseRemoved`).
 */
import type { Context } from "../context.ts";
import type { Db } from "../db/database.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { reachesUploads, storeOf } from "./store.ts";

/** Deletes the files; gives how many there were. */
export async function removeMedia(ctx: Context, mediaIds: readonly string[]): Promise<number> {
  const row = await ctx.db.media.one<{ files: number }>(
    `with gone as (delete from media.media where media_id = any ($1) returning sha256),
     noted as (
       insert into media.removed_blobs (sha256) select distinct sha256 from gone where sha256 is not null order by sha256
       on conflict (sha256) do update set removed_at = now(), is_done = false
     )
     select count(*) as files from gone`,
    [mediaIds],
  );
  await removeBlobs(ctx);
  return row?.files ?? 0;
}

/**
 * Takes bytes out of the store that were noted for it; not in a process whose own folder is not where the uploads are: one with the
 * role media does it within the hour.
 */
export async function removeBlobs(ctx: Context): Promise<void> {
  if (!reachesUploads(ctx)) return;
  const noted = await ctx.db.media.query<{ sha256: string }>(
    "select sha256 from media.removed_blobs where not is_done order by removed_at limit $1",
    [limits.mediaDelete_files * 2],
  );
  for (const { sha256 } of noted) await removeBlob(ctx, sha256);
}

/**
 * Takes the bytes away unless another file has them. The note is locked meanwhile: a second who looked before and removes after
 * somebody has uploaded them anew would leave a file without its bytes, and a note that is made anew meanwhile would be lost.
 */
async function removeBlob(ctx: Context, sha256: string): Promise<void> {
  await ctx.db.media.transaction(async (db) => {
    const sql = "select 1 from media.removed_blobs where sha256 = $1 and not is_done for update skip locked";
    if (!(await db.one(sql, [sha256]))) return;
    if (!(await isNeeded(db, sha256))) {
      await dropThumbnails(ctx, db, sha256);
      await (await storeOf(ctx)).remove(sha256);
    }
    await db.change("update media.removed_blobs set is_done = true where sha256 = $1", [sha256]);
  });
}

type Writer = Omit<Db, "transaction">;

async function isNeeded(db: Writer, sha256: string): Promise<boolean> {
  const sql = `select 1 where exists (select from media.media where sha256 = $1)
    or exists (select from media.upload_parts where sha256 = $1)
    or exists (select from media.thumbnails where thumbnail_sha256 = $1)`;
  return (await db.one(sql, [sha256])) !== undefined;
}

/** Thumbnails go with what they were made of. */
async function dropThumbnails(ctx: Context, db: Writer, sha256: string): Promise<void> {
  const rows = await db.query<{ sha256: string }>(
    "delete from media.thumbnails where sha256 = $1 returning thumbnail_sha256 as sha256",
    [sha256],
  );
  for (const made of rows) if (!(await isNeeded(db, made.sha256))) await (await storeOf(ctx)).remove(made.sha256);
}

/**
 * For whoever has just written a record of bytes: throws IO_PARLEY_UNAVAILABLE where somebody was taking the same bytes away, and
 * takes the record back. The client uploads once more.
 */
export async function refuseRemoved(
  ctx: Context,
  { mediaId, sha256 }: { mediaId: string; sha256: string },
): Promise<void> {
  if (!(await wasRemoved(ctx, sha256))) return;
  await ctx.db.media.change("delete from media.media where media_id = $1", [mediaId]);
  throw matrixError("IO_PARLEY_UNAVAILABLE", "The same file is just being deleted. Upload it again in a second.", {
    retryAfter_ms: 1_000,
  });
}

/** Whether somebody is taking these bytes away, or has; for whoever has just written a record of them. */
export async function wasRemoved(ctx: Context, sha256: string): Promise<boolean> {
  const note = await ctx.db.media.one<{ isDone: boolean }>(
    `select is_done as "isDone" from media.removed_blobs where sha256 = $1 and removed_at > now() - interval '1 day'`,
    [sha256],
  );
  return note !== undefined && !(note.isDone && (await isThere(ctx, sha256)));
}

async function isThere(ctx: Context, sha256: string): Promise<boolean> {
  const stream = await (await storeOf(ctx)).get(sha256, { start: 0, end: 0 });
  stream?.destroy();
  return stream !== undefined;
}
