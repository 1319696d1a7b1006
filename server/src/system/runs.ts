/** Backups, restore drills and runs of the doctor, as they were recorded. */
import type { Finding } from "../cli/doctor/finding.ts";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";

export const runKinds = ["backup", "restore_verify", "restore_drill", "doctor"] as const;
export type RunKind = (typeof runKinds)[number];

export interface Run {
  id: number;
  kind: RunKind;
  started_ms: number;
  /** Null while it runs. */
  ended_ms: number | null;
  ok: boolean | null;
  detail: Record<string, unknown>;
}

const RUN = `id, kind, ok, detail, floor(extract(epoch from started_at) * 1000)::bigint as started_ms,
  floor(extract(epoch from ended_at) * 1000)::bigint as ended_ms`;

/** The newest of this kind first. */
export function listRuns(ctx: Context, kind: RunKind, limit: number = limits.runsShown): Promise<Run[]> {
  return ctx.db.console.query<Run>(`select ${RUN} from console.runs where kind = $1 order by id desc limit $2`, [
    kind,
    limit,
  ]);
}

export function readRun(ctx: Context, id: number): Promise<Run | undefined> {
  return ctx.db.console.one<Run>(`select ${RUN} from console.runs where id = $1`, [id]);
}

/** The last that ended well, or the last of all that have ended. */
export function lastRun(ctx: Context, kind: RunKind, isOkOnly: boolean): Promise<Run | undefined> {
  return ctx.db.console.one<Run>(
    `select ${RUN} from console.runs where kind = $1 and ended_at is not null and (ok or not $2) order by id desc limit 1`,
    [kind, isOkOnly],
  );
}

/** What the doctor found in its last run that has ended. */
export async function lastFindings(ctx: Context): Promise<{ at_ms: number; findings: Finding[] } | undefined> {
  const run = await lastRun(ctx, "doctor", false);
  if (run?.ended_ms == null) return undefined;
  return { at_ms: run.ended_ms, findings: (run.detail["findings"] ?? []) as Finding[] };
}

/** Begins a run, and removes those that nobody will look at any more. Gives its id. */
export async function beginRun(ctx: Context, kind: RunKind, detail: object): Promise<number> {
  const row = await ctx.db.console.one<{ id: number }>(
    `with old as (
       delete from console.runs where kind = $1 and id not in (select id from console.runs where kind = $1 order by id desc limit $3)
     )
     insert into console.runs (kind, detail) values ($1, $2) returning id`,
    [kind, JSON.stringify(detail), limits.runsKept],
  );
  return row?.id as number;
}

/** What the run has found so far. */
export async function noteRun(ctx: Context, id: number, detail: object): Promise<void> {
  await ctx.db.console.change("update console.runs set detail = $2 where id = $1", [id, JSON.stringify(detail)]);
}

export async function endRun(ctx: Context, id: number, { ok, detail }: { ok: boolean; detail: object }): Promise<void> {
  await ctx.db.console.change("update console.runs set ended_at = now(), ok = $2, detail = $3 where id = $1", [
    id,
    ok,
    JSON.stringify(detail),
  ]);
}
