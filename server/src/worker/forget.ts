/** Forgets jobs and imports that were over long ago, whose rows have the names of people and rooms, and exports that nobody can fetch any more. */
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { startRounds } from "../rounds.ts";

/** Open ones are kept, however old. */
const JOBS = `delete from console.jobs where job_id in (
    select job_id from console.jobs
    where state in ('done', 'failed', 'cancelled') and ended_at < now() - $1 * interval '1 millisecond'
    order by job_id limit $2 for update skip locked)`;

/** An import is over when its job is, and stays so when that is forgotten. */
const IS_OVER = `i.created_at < now() - $1 * interval '1 millisecond' and not exists (
    select from console.jobs j where j.job_id = i.job_id
      and (j.state in ('queued', 'running') or j.ended_at >= now() - $1 * interval '1 millisecond'))`;

const IMPORT_ROWS = `delete from console.import_rows where (import_id, row) in (
    select r.import_id, r.row from console.imports i join console.import_rows r using (import_id)
    where ${IS_OVER} order by r.import_id, r.row limit $2 for update of r skip locked)`;

const IMPORTS = `delete from console.imports where import_id in (
    select import_id from console.imports i
    where ${IS_OVER} and not exists (select from console.import_rows r where r.import_id = i.import_id)
    order by import_id limit $2 for update skip locked)`;

/** With their parts. One that was never made whole goes with its job. */
const EXPORTS = `delete from console.exports where job_id in (
    select job_id from console.exports e
    where e.expires_at < now() or e.ready_at is null and not exists (
      select from console.jobs j where j.job_id = e.job_id and (j.state in ('queued', 'running') or j.ended_at >= now() - $1 * interval '1 millisecond'))
    order by job_id limit $2 for update skip locked)`;

/** Removes them a batch at a time. Several workers may do it at once: each takes what no other is taking. */
export async function forgetFinished(ctx: Context): Promise<void> {
  for (const sql of [IMPORT_ROWS, IMPORTS, JOBS, EXPORTS]) {
    let removed: number = limits.finished_rows;
    while (removed === limits.finished_rows && !ctx.stopping.aborted)
      removed = await ctx.db.console.change(sql, [limits.finishedKept_ms, limits.finished_rows]);
  }
}

/** Does so now and then. */
export function startForgetting(ctx: Context): Promise<() => Promise<void>> {
  const act = () => forgetFinished(ctx);
  const failed = "old jobs could not be forgotten";
  return Promise.resolve(startRounds(ctx, { wait_ms: () => limits.finishedLook_ms, act, failed }));
}
