/** What operators see of files: whose they are, how large, how old and of which type. Never what is in them. */
import type { Context } from "../context.ts";

export interface MediaFilter {
  userId?: string | undefined;
  least_bytes?: number | undefined;
  /** Uploaded before this moment, in milliseconds since 1970. */
  before_ts?: number | undefined;
  quarantined?: boolean | undefined;
}

const WANTED = `m.sha256 is not null and ($1::text is null or m.user_id = $1) and ($2::bigint is null or m.size_bytes >= $2)
  and ($3::bigint is null or m.created_at < to_timestamp($3::double precision / 1000))
  and ($4::boolean is null or (m.quarantined_at is not null) = $4)`;

function valuesOf({ userId, least_bytes, before_ts, quarantined }: MediaFilter): unknown[] {
  return [userId ?? null, least_bytes ?? null, before_ts ?? null, quarantined ?? null];
}

export interface ListedMedia {
  media_id: string;
  user_id: string;
  created_ts: number;
  size_bytes: number;
  content_type: string;
  quarantined: boolean;
  protected: boolean;
}

const COLUMNS = `m.media_id, m.user_id, floor(extract(epoch from m.created_at) * 1000)::bigint as created_ts, m.size_bytes,
  m.content_type, m.quarantined_at is not null as quarantined, m.protected`;

const ORDERS = {
  "-created_ts": "-floor(extract(epoch from m.created_at) * 1000000)::bigint",
  "-size_bytes": "-m.size_bytes",
} as const;
export type MediaOrder = keyof typeof ORDERS;

/** One text for each order: the statements are prepared by their texts. */
const PAGES = Object.fromEntries(
  Object.entries(ORDERS).map(([order, key]) => [
    order,
    `select ${COLUMNS}, ${key} as key from media.media m
     where ${WANTED} and ($5::bigint is null or (${key}, m.media_id) > ($5, $6)) order by ${key}, m.media_id limit $7`,
  ]),
) as Record<MediaOrder, string>;

export interface MediaAsked extends MediaFilter {
  order: MediaOrder;
  after?: { key: number; mediaId: string } | undefined;
  limit: number;
}

export function listMedia(ctx: Context, asked: MediaAsked): Promise<(ListedMedia & { key: number })[]> {
  const { order, after, limit } = asked;
  return ctx.db.media.query(PAGES[order], [...valuesOf(asked), after?.key ?? null, after?.mediaId ?? null, limit]);
}

export async function readMedia(ctx: Context, mediaId: string): Promise<ListedMedia | undefined> {
  return ctx.db.media.one<ListedMedia>(
    `select ${COLUMNS} from media.media m where m.media_id = $1 and m.sha256 is not null`,
    [mediaId],
  );
}

/** How many files there are with this filter, and how large they are together. */
export async function countMedia(ctx: Context, filter: MediaFilter): Promise<{ files: number; bytes: number }> {
  const row = await ctx.db.media.one<{ files: number; bytes: number }>(
    `select count(*) as files, coalesce(sum(m.size_bytes), 0)::bigint as bytes from media.media m where ${WANTED}`,
    valuesOf(filter),
  );
  return row ?? { files: 0, bytes: 0 };
}

export interface UserTotal {
  user_id: string;
  files: number;
  bytes: number;
}

/** Who has uploaded how much, whoever has the most first. */
export function totalsByUser(
  ctx: Context,
  { after, limit }: { after: { bytes: number; userId: string } | undefined; limit: number },
): Promise<UserTotal[]> {
  return ctx.db.media.query<UserTotal>(
    `select * from (
       select user_id, count(*) as files, sum(size_bytes)::bigint as bytes from media.media where sha256 is not null group by user_id
     ) t where $1::bigint is null or (-t.bytes, t.user_id) > (-$1, $2) order by -t.bytes, t.user_id limit $3`,
    [after?.bytes ?? null, after?.userId ?? null, limit],
  );
}

/** Quarantines a file and all with the same bytes, or lets them go; gives how many. */
export function quarantine(ctx: Context, mediaId: string, by: string | null): Promise<number> {
  return ctx.db.media.change(
    `update media.media set quarantined_at = case when $2::text is null then null else now() end, quarantined_by = $2
     where sha256 = (select sha256 from media.media where media_id = $1) and (quarantined_at is null) = ($2::text is not null)`,
    [mediaId, by],
  );
}

/** Protects a file from being deleted for its age, or no longer does. */
export function protect(ctx: Context, mediaId: string, isProtected: boolean): Promise<number> {
  return ctx.db.media.change("update media.media set protected = $2 where media_id = $1", [mediaId, isProtected]);
}
