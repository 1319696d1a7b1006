/** The records of uploads that arrive in pieces. */
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import type { Uploaded } from "../queries.ts";

export interface Upload {
  mediaId: string;
  userId: string;
  total_bytes: number;
  offset_bytes: number;
  contentType: string;
  fileName: string | null;
  metadata: string | null;
  isDone: boolean;
  expires_ms: number;
}

const COLUMNS = `media_id as "mediaId", user_id as "userId", total_bytes, offset_bytes, content_type as "contentType", file_name as "fileName",
  metadata, is_done as "isDone", floor(extract(epoch from expires_at) * 1000)::bigint as expires_ms`;

export async function insertUpload(
  ctx: Context,
  upload: Omit<Upload, "offset_bytes" | "isDone" | "expires_ms">,
): Promise<void> {
  const { mediaId, userId, total_bytes, contentType, fileName, metadata } = upload;
  await ctx.db.media.change(
    `insert into media.uploads (media_id, user_id, total_bytes, content_type, file_name, metadata, expires_at)
     values ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 millisecond')`,
    [mediaId, userId, total_bytes, contentType, fileName, metadata, limits.uploadKept_s * 1_000],
  );
}

/** One that has not expired. */
export function findUpload(ctx: Context, mediaId: string): Promise<Upload | undefined> {
  return ctx.db.media.one<Upload>(`select ${COLUMNS} from media.uploads where media_id = $1 and expires_at > now()`, [
    mediaId,
  ]);
}

/** Those that are not complete, the newest first. */
export function uploadsOf(ctx: Context, userId: string): Promise<Upload[]> {
  return ctx.db.media.query<Upload>(
    `select ${COLUMNS} from media.uploads where user_id = $1 and expires_at > now() and not is_done order by created_at desc limit $2`,
    [userId, limits.pendingUploads],
  );
}

export interface Part {
  sha256: string;
  size_bytes: number;
}

/** Notes a piece that stands at `from_bytes`. Gives false where something else stands there already, or there are too many. */
export async function addPart(
  ctx: Context,
  { mediaId, from_bytes, part }: { mediaId: string; from_bytes: number; part: Part },
): Promise<boolean> {
  const added = await ctx.db.media.change(
    `with moved as (
       update media.uploads set offset_bytes = offset_bytes + $3::bigint, parts = parts + 1,
         expires_at = now() + $5 * interval '1 millisecond'
       where media_id = $1 and offset_bytes = $2::bigint and parts < $6 returning media_id
     )
     insert into media.upload_parts (media_id, start_bytes, size_bytes, sha256)
     select media_id, $2::bigint, $3::bigint, $4 from moved`,
    [mediaId, from_bytes, part.size_bytes, part.sha256, limits.uploadKept_s * 1_000, limits.uploadParts],
  );
  return added === 1;
}

/** Takes the newest piece back, whose bytes somebody was just taking away. */
export async function dropPart(ctx: Context, mediaId: string, from_bytes: number): Promise<void> {
  await ctx.db.media.change(
    `with gone as (
       delete from media.upload_parts where media_id = $1 and start_bytes = $2 returning size_bytes
     )
     update media.uploads set offset_bytes = $2 from gone where media_id = $1 and offset_bytes = $2 + gone.size_bytes`,
    [mediaId, from_bytes],
  );
}

export function partsOf(ctx: Context, mediaId: string): Promise<Part[]> {
  return ctx.db.media.query<Part>(
    "select sha256, size_bytes from media.upload_parts where media_id = $1 order by start_bytes",
    [mediaId],
  );
}

/** Pieces that nobody needs any more are noted, to be taken out of the store. See remove.ts. */
const NOTED = `noted as (
    insert into media.removed_blobs (sha256) select distinct sha256 from parts order by sha256
    on conflict (sha256) do update set removed_at = now(), is_done = false
  )`;
const PARTS = "parts as (delete from media.upload_parts where media_id = any ($1) returning sha256)";

/** Ends an upload whose file is whole. */
export async function endUpload(ctx: Context, mediaId: string): Promise<void> {
  const sql = `with ${PARTS}, ${NOTED} update media.uploads set is_done = true where media_id = any ($1)`;
  await ctx.db.media.change(sql, [[mediaId]]);
}

/** Gives uploads up: their ids are those of no file any more. */
export async function discardUploads(ctx: Context, mediaIds: readonly string[]): Promise<void> {
  await ctx.db.media.change(
    `with ${PARTS}, ${NOTED}, files as (
       delete from media.media where media_id = any ($1) and sha256 is null
     ) delete from media.uploads where media_id = any ($1)`,
    [mediaIds],
  );
}

/** Bytes that came too late to be a piece of anything. */
export async function noteUnneeded(ctx: Context, sha256: string): Promise<void> {
  await ctx.db.media.change(
    `insert into media.removed_blobs (sha256) values ($1)
     on conflict (sha256) do update set removed_at = now(), is_done = false`,
    [sha256],
  );
}

export async function expiredUploads(ctx: Context, most: number): Promise<string[]> {
  const rows = await ctx.db.media.query<{ mediaId: string }>(
    'select media_id as "mediaId" from media.uploads where expires_at < now() limit $1',
    [most],
  );
  return rows.map(({ mediaId }) => mediaId);
}

/** What the upload became: the same for whoever finishes it. */
export function uploadedOf({ contentType, fileName }: Upload, part: Part): Uploaded {
  return { ...part, contentType, fileName: fileName ?? undefined };
}
