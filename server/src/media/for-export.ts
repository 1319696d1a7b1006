/** What this domain has of a person: see person/section.ts. */
import type { Readable } from "node:stream";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { type Asked, type Section, sectionOf, ts } from "../person/section.ts";
import { askForUpload, mayAsk } from "./lent/ask.ts";
import { reachesUploads, storeOf } from "./store.ts";
import { discardUploads } from "./uploads/queries.ts";

export const sections: readonly Section[] = [
  sectionOf({
    name: "uploads",
    about: "Files that the person has uploaded. Those with a SHA-256 are in the folder media.",
    schema: "media",
    key: "media_id",
    record: `json_build_object('media_id', media_id, 'created_ts', ${ts("created_at")}, 'file_name', file_name,
      'content_type', content_type, 'size_bytes', size_bytes, 'sha256', sha256)`,
    from: "media.media where user_id = $1",
  }),
  sectionOf({
    name: "uploads_in_pieces",
    about: "Uploads that are under way, or were a day ago.",
    schema: "media",
    key: "media_id",
    record: `json_build_object('media_id', media_id, 'created_ts', ${ts("created_at")}, 'file_name', file_name,
      'content_type', content_type, 'size_bytes', total_bytes, 'received_bytes', offset_bytes, 'metadata', metadata)`,
    from: "media.uploads where user_id = $1",
  }),
];

export interface Upload {
  mediaId: string;
  fileName: string | null;
  size_bytes: number;
  created_ms: number;
  /** From the store, or from a process that has it; undefined where it is no longer there. */
  open(): Promise<Readable | undefined>;
}

/**
 * Throws where the person has uploaded files and this process does not get at them, since an archive would have them empty: M_UNKNOWN (501)
 * where no setting says who has them, IO_PARLEY_UNAVAILABLE where those who have them do not give the first one.
 */
export async function refuseUnreachable(ctx: Context, userId: string): Promise<void> {
  if (reachesUploads(ctx)) return;
  const [first] = await uploadsOf(ctx, { userId, after: "", limit: 1 });
  if (!first) return;
  if (mayAsk(ctx)) return void (await first.open())?.on("error", () => {}).destroy();
  throw matrixError(
    "M_UNKNOWN",
    "This process does not reach the files that the person has uploaded, and the archive would have none of them. The processes with the role web need MEDIA_URL, which says where the role media is, or the object store's settings (STORAGE_PROVIDER and its like), or the role media beside web.",
    { status: 501 },
  );
}

/** The person's complete uploads behind `after`, by their ids. */
export async function uploadsOf(ctx: Context, { userId, after, limit }: Asked): Promise<Upload[]> {
  const rows = await ctx.db.media.query<Omit<Upload, "open"> & { sha256: string }>(
    `select media_id as "mediaId", file_name as "fileName", size_bytes, ${ts("created_at")} as created_ms, sha256
     from media.media where user_id = $1 and sha256 is not null and media_id collate "C" > $2 order by media_id collate "C" limit $3`,
    [userId, after, limit],
  );
  const open = reachesUploads(ctx)
    ? ({ sha256 }: (typeof rows)[number]) => storeOf(ctx).then((store) => store.get(sha256))
    : ({ mediaId, size_bytes }: (typeof rows)[number]) => askForUpload(ctx, { userId, mediaId, size_bytes });
  return rows.map((row) => ({ ...row, open: () => open(row) }));
}

/** Removes what is known of the person's uploads in pieces, and the pieces; files that became of them stay. */
export async function eraseUploads(ctx: Context, userId: string): Promise<void> {
  const sql = `select media_id as "mediaId" from media.uploads where user_id = $1`;
  const rows = await ctx.db.media.query<{ mediaId: string }>(sql, [userId]);
  await discardUploads(
    ctx,
    rows.map(({ mediaId }) => mediaId),
  );
}

/** Up to `limit` ids of the person's uploads, complete or not. */
export async function uploadIdsOf(ctx: Context, userId: string, limit: number): Promise<string[]> {
  const sql = `select media_id as "mediaId" from media.media where user_id = $1 order by media_id limit $2`;
  return (await ctx.db.media.query<{ mediaId: string }>(sql, [userId, limit])).map(({ mediaId }) => mediaId);
}
