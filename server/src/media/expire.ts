/**
 * Files that are over their time and that nothing points to any more. What points to a file is found in the events and account data
 * that the server can read, and in profiles. Of an encrypted room it can read none: to the server nothing points to the files there,
 * and they go by their age alone.
 */
import { z } from "zod";
import { avatarsBehind } from "../account/avatars.ts";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { removeMedia } from "./remove.ts";

const place = z
  .discriminatedUnion("phase", [
    z.object({ phase: z.literal("entries"), after: z.number() }),
    z.object({ phase: z.literal("profiles"), after: z.string(), position: z.number() }),
    z.object({ phase: z.literal("files"), after: z.string(), position: z.number() }),
  ])
  .nullable();

export interface MediaStep {
  at: unknown;
  deleted: number;
  isDone: boolean;
}

interface Asked {
  /** The number of the job: a later one has a larger number. */
  run: number;
  at: unknown;
  before_ms: number;
  /** Whose files a hold keeps. */
  held: readonly string[];
}

/** One step: first what is pointed to is found, then what is not is deleted, after a look at what came meanwhile. */
export async function mediaStep(ctx: Context, { run, at: given, before_ms, held }: Asked): Promise<MediaStep> {
  const at = place.parse(given ?? null);
  if (at === null) {
    // Those of this run stay: a worker that was taken for dead may come here when another has gone on.
    await ctx.db.media.change("delete from media.referenced where run < $1", [run]);
    return on({ phase: "entries", after: 0 });
  }
  if (at.phase === "entries") {
    const { last, isEnd } = await findInEntries(ctx, run, at.after);
    return on(isEnd ? { phase: "profiles", after: "", position: last } : { phase: "entries", after: last });
  }
  if (at.phase === "profiles") {
    const found = await avatarsBehind(ctx, at.after, limits.mediaScan_entries);
    await note(
      ctx,
      run,
      found.map(({ url }) => idIn(ctx, url)),
    );
    const last = found.at(-1);
    return on(last ? { ...at, after: last.userId } : { phase: "files", after: "", position: at.position });
  }
  const { last, isEnd } = await findInEntries(ctx, run, at.position);
  if (!isEnd) return on({ ...at, position: last });
  return deleteNext(ctx, { run, after: at.after, position: last, before_ms, held });
}

function on(at: z.output<typeof place>): MediaStep {
  return { at, deleted: 0, isDone: false };
}

const EXPIRABLE = `created_at < to_timestamp($1::double precision / 1000) and not protected and quarantined_at is null
  and not user_id = any ($2::text[])`;
const NEXT = `select media_id as "mediaId" from media.media m where ${EXPIRABLE} and media_id > $3
  and not exists (select from media.referenced r where r.run = $5 and r.media_id = m.media_id) order by media_id limit $4`;

async function deleteNext(
  ctx: Context,
  { run, after, position, before_ms, held }: Omit<Asked, "at"> & { after: string; position: number },
): Promise<MediaStep> {
  const most = limits.mediaDelete_files;
  const rows = await ctx.db.media.query<{ mediaId: string }>(NEXT, [before_ms, held, after, most, run]);
  const deleted = await removeMedia(
    ctx,
    rows.map(({ mediaId }) => mediaId),
  );
  const last = rows.at(-1)?.mediaId ?? after;
  return { at: { phase: "files", after: last, position }, deleted, isDone: rows.length === 0 };
}

/** How many files are over their time, without a look at what points to them. */
export async function countExpirable(
  ctx: Context,
  { before_ms, held }: Pick<Asked, "before_ms" | "held">,
): Promise<{ files: number; bytes: number }> {
  const row = await ctx.db.media.one<{ files: number; bytes: number }>(
    `select count(*) as files, coalesce(sum(size_bytes), 0)::bigint as bytes from media.media where ${EXPIRABLE}`,
    [before_ms, held],
  );
  return row ?? { files: 0, bytes: 0 };
}

const LOOK = `with looked as (select position, kind, body from log.entries where position > $1 order by position limit $2)
  select (select max(position) from looked) as last, (select count(*) from looked) as looked, array(
    select distinct (regexp_matches(body, $3, 'g'))[1] from looked
    where kind in ('event', 'account_data') and strpos(body, 'mxc://') > 0) as ids`;

/** Notes what the next entries of the log point to; says how far that is, and whether it is all. */
async function findInEntries(ctx: Context, run: number, after: number): Promise<{ last: number; isEnd: boolean }> {
  const row = await ctx.db.log.one<{ last: number | null; looked: number; ids: string[] }>(LOOK, [
    after,
    limits.mediaScan_entries,
    `mxc://${ctx.config.serverName.replace(/[.[\]]/g, "\\$&")}/([A-Za-z0-9_-]+)`,
  ]);
  await note(ctx, run, row?.ids ?? []);
  return { last: row?.last ?? after, isEnd: (row?.looked ?? 0) < limits.mediaScan_entries };
}

function idIn(ctx: Context, url: string): string | undefined {
  const prefix = `mxc://${ctx.config.serverName}/`;
  return url.startsWith(prefix) ? url.slice(prefix.length) : undefined;
}

async function note(ctx: Context, run: number, ids: readonly (string | undefined)[]): Promise<void> {
  const found = ids.filter((id) => id !== undefined);
  if (found.length === 0) return;
  const sql = "insert into media.referenced (run, media_id) select $1, unnest($2::text[]) on conflict do nothing";
  await ctx.db.media.change(sql, [run, found]);
}
