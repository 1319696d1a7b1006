/** Previews that were made, for all replicas. What could not be made is remembered too, for a shorter time. */
import { createHash } from "node:crypto";
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import { removeMedia } from "../remove.ts";
import { ownerOf, type Preview } from "./make.ts";

const hashOf = (url: string): string => createHash("sha256").update(url).digest("hex");

/** Undefined: there is none, or it is too old. Null: it could not be made lately. */
export async function findPreview(ctx: Context, url: string): Promise<Preview["said"] | null | undefined> {
  const row = await ctx.db.media.one<{ said: string | null }>(
    "select said from media.previews where url_sha256 = $1 and expires_at > now()",
    [hashOf(url)],
  );
  return typeof row?.said === "string" ? (JSON.parse(row.said) as Preview["said"]) : row && null;
}

export async function putPreview(ctx: Context, url: string, preview: Preview | undefined): Promise<void> {
  const kept_ms = preview ? limits.previewKept_ms : limits.previewFailed_ms;
  await ctx.db.media.change(
    `insert into media.previews (url_sha256, said, image_id, expires_at)
     values ($1, $2, $3, now() + $4 * interval '1 millisecond')
     on conflict (url_sha256) do update set said = excluded.said, image_id = excluded.image_id, expires_at = excluded.expires_at`,
    [hashOf(url), preview ? JSON.stringify(preview.said) : null, preview?.imageId ?? null, kept_ms],
  );
}

/** Forgets previews that are long over, and takes away pictures that none has any more. */
export async function sweepPreviews(ctx: Context): Promise<void> {
  const over = limits.previewKept_ms;
  await ctx.db.media.change("delete from media.previews where expires_at < now() - $1 * interval '1 millisecond'", [
    over,
  ]);
  const rows = await ctx.db.media.query<{ mediaId: string }>(
    `select media_id as "mediaId" from media.media m
     where user_id = $1 and created_at < now() - $2 * interval '1 millisecond'
       and not exists (select from media.previews p where p.image_id = m.media_id) limit $3`,
    [ownerOf(ctx), over, limits.mediaDelete_files],
  );
  if (rows.length > 0)
    await removeMedia(
      ctx,
      rows.map(({ mediaId }) => mediaId),
    );
}
