/** Deletes many files, as a job: those of a person, those before a moment, or both. Protected ones stay, and what a hold keeps. */
import { z } from "zod";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { heldUploaders } from "../retention/holds.ts";
import type { Job, Step } from "../worker/job.ts";
import { removeMedia } from "./remove.ts";

const parameters = z.object({ userId: z.string().nullable(), before_ts: z.number().nullable() });

const NEXT = `select media_id as "mediaId" from media.media
  where ($1::text is null or user_id = $1) and ($2::bigint is null or created_at < to_timestamp($2::double precision / 1000))
    and not protected and not user_id = any ($3::text[]) order by media_id limit $4`;

export async function deleteMediaStep(ctx: Context, job: Job): Promise<Step> {
  const { userId, before_ts } = parameters.parse(job.parameters);
  const rows = await ctx.db.media.query<{ mediaId: string }>(NEXT, [
    userId,
    before_ts,
    await heldUploaders(ctx),
    limits.mediaDelete_files,
  ]);
  const deleted = await removeMedia(
    ctx,
    rows.map(({ mediaId }) => mediaId),
  );
  const files = (job.progress["files_deleted"] ?? 0) + deleted;
  return { cursor: null, progress: { ...job.progress, files_deleted: files }, isDone: rows.length === 0 };
}
