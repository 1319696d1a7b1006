/** The records of what was uploaded. */
import type { Context } from "../context.ts";

export interface Media {
  mediaId: string;
  userId: string;
  sha256: string | null;
  size_bytes: number | null;
  contentType: string | null;
  fileName: string | null;
  age_ms: number;
  /** Operators let nobody have it. */
  isQuarantined: boolean;
}

export interface Uploaded {
  sha256: string;
  size_bytes: number;
  contentType: string;
  fileName: string | undefined;
}

export function findMedia(ctx: Context, mediaId: string): Promise<Media | undefined> {
  return ctx.db.media.one<Media>(
    `select media_id as "mediaId", user_id as "userId", sha256, size_bytes, content_type as "contentType", file_name as "fileName",
       extract(epoch from now() - created_at)::double precision * 1000 as age_ms, quarantined_at is not null as "isQuarantined"
     from media.media where media_id = $1`,
    [mediaId],
  );
}

/** What is in quarantine stays there when somebody uploads it once more. */
const QUARANTINE = "(select max(same.quarantined_at) from media.media same where same.sha256 = $sha)";

/** Makes an id without content. Gives false where the person has too many of those. */
export async function insertPending(
  ctx: Context,
  { mediaId, userId, most }: { mediaId: string; userId: string; most: number },
): Promise<boolean> {
  const made = await ctx.db.media.change(
    `insert into media.media (media_id, user_id)
     select $1, $2 where (select count(*) from media.media where user_id = $2 and sha256 is null and created_at > now() - interval '1 day') < $3`,
    [mediaId, userId, most],
  );
  return made === 1;
}

export async function insertUploaded(
  ctx: Context,
  { mediaId, userId, uploaded }: { mediaId: string; userId: string; uploaded: Uploaded },
): Promise<void> {
  await ctx.db.media.change(
    `insert into media.media (media_id, user_id, sha256, size_bytes, content_type, file_name, quarantined_at)
     values ($1, $2, $3, $4, $5, $6, ${QUARANTINE.replace("$sha", "$3")})`,
    [mediaId, userId, uploaded.sha256, uploaded.size_bytes, uploaded.contentType, uploaded.fileName ?? null],
  );
}

/** Fills an id that was made before. Gives false where it was filled already. */
export async function fillPending(ctx: Context, mediaId: string, uploaded: Uploaded): Promise<boolean> {
  const filled = await ctx.db.media.change(
    `update media.media set sha256 = $2, size_bytes = $3, content_type = $4, file_name = $5, quarantined_at = ${QUARANTINE.replace("$sha", "$2")}
     where media_id = $1 and sha256 is null`,
    [mediaId, uploaded.sha256, uploaded.size_bytes, uploaded.contentType, uploaded.fileName ?? null],
  );
  return filled === 1;
}

export interface ThumbnailKey {
  sha256: string;
  width: number;
  height: number;
  method: string;
  animated: boolean;
}

export interface Thumbnail {
  sha256: string;
  size_bytes: number;
  contentType: string;
}

export function findThumbnail(ctx: Context, key: ThumbnailKey): Promise<Thumbnail | undefined> {
  return ctx.db.media.one<Thumbnail>(
    `select thumbnail_sha256 as sha256, size_bytes, content_type as "contentType" from media.thumbnails
     where sha256 = $1 and width = $2 and height = $3 and method = $4 and animated = $5`,
    [key.sha256, key.width, key.height, key.method, key.animated],
  );
}

export async function insertThumbnail(ctx: Context, key: ThumbnailKey, made: Thumbnail): Promise<void> {
  await ctx.db.media.change(
    `insert into media.thumbnails (sha256, width, height, method, animated, thumbnail_sha256, size_bytes, content_type)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
    [key.sha256, key.width, key.height, key.method, key.animated, made.sha256, made.size_bytes, made.contentType],
  );
}
