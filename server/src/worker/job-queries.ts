/** The table of jobs. Every change of a job that is being worked on names its lease: whoever lost it changes nothing. */
import type { Context } from "../context.ts";
import { type Db, sqlState, UNIQUE_VIOLATION } from "../db/database.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Job, Step } from "./job.ts";
import { knownKinds } from "./job-kinds.ts";

export interface NewJob {
  kind: string;
  target?: string | undefined;
  parameters: object;
  createdBy: string;
  /** Where an open job has the same key, this one is refused. */
  uniqueKey?: string;
}

/** Writes a job down and gives its id. Throws M_LIMIT_EXCEEDED where one with the same key is open. */
export async function insertJob(db: Pick<Db, "one">, job: NewJob): Promise<number> {
  const { kind, target, parameters, createdBy, uniqueKey } = job;
  try {
    const row = await db.one<{ jobId: number }>(
      `insert into console.jobs (kind, target, parameters, created_by, unique_key) values ($1, $2, $3, $4, $5)
       returning job_id as "jobId"`,
      [kind, target ?? null, JSON.stringify(parameters), createdBy, uniqueKey ?? null],
    );
    return row?.jobId as number;
  } catch (thrown) {
    if (sqlState(thrown) !== UNIQUE_VIOLATION) throw thrown;
    throw matrixError("M_LIMIT_EXCEEDED", `There is a job ${kind} under way already. Wait for its end, or cancel it.`, {
      status: 409,
    });
  }
}

/** A lease that ran out is a worker that died: that counts as a failure too, so that a step that ends its process comes to its end. */
const CLAIM = `update console.jobs j
  set state = 'running', failures = failures + case when lease is null then 0 else 1 end, lease = $1, leased_until = now() + $2 * interval '1 millisecond', started_at = coalesce(started_at, now())
  where j.job_id = (
    select job_id from console.jobs
    where kind = any ($3) and state in ('queued', 'running') and (leased_until is null or leased_until < now())
    order by job_id limit 1 for update skip locked)
  returning job_id as "jobId", kind, parameters, cursor, progress, created_by as "createdBy", lease, failures, cancel_asked as "isCancelled"`;

type ClaimedRow = Record<"kind" | "parameters" | "cursor" | "progress" | "createdBy" | "lease", string> & {
  jobId: number;
  failures: number;
  isCancelled: boolean;
};

export type Claimed = Job & Pick<ClaimedRow, "failures" | "isCancelled">;

/** The oldest job of a kind that this version knows and that nobody works on, for this lease; undefined where there is none. */
export async function claimJob(ctx: Context, lease: string): Promise<Claimed | undefined> {
  const row = await ctx.db.console.one<ClaimedRow>(CLAIM, [lease, limits.jobLease_ms, knownKinds]);
  if (!row) return undefined;
  const { parameters, cursor, progress } = row;
  return {
    ...row,
    parameters: JSON.parse(parameters),
    cursor: JSON.parse(cursor),
    progress: JSON.parse(progress) as Job["progress"],
  };
}

/** Notes a step that was done. Says whether the job goes on: "lost" where it is another worker's by now. */
export async function noteStep(ctx: Context, job: Job, step: Step): Promise<"on" | "cancelled" | "lost"> {
  const row = await ctx.db.console.one<{ isCancelled: boolean }>(
    `update console.jobs set cursor = $3, progress = $4, failures = 0, leased_until = now() + $5 * interval '1 millisecond'
     where job_id = $1 and lease = $2 and state = 'running' returning cancel_asked as "isCancelled"`,
    [job.jobId, job.lease, JSON.stringify(step.cursor), JSON.stringify(step.progress), limits.jobLease_ms],
  );
  if (!row) return "lost";
  return row.isCancelled ? "cancelled" : "on";
}

/** Ends the job in this state. */
export async function endJob(
  ctx: Context,
  job: Job,
  { state, error }: { state: "done" | "failed" | "cancelled"; error?: string },
): Promise<void> {
  await ctx.db.console.change(
    `update console.jobs set state = $3, error = $4, ended_at = now(), lease = null, leased_until = null
     where job_id = $1 and lease = $2`,
    [job.jobId, job.lease, state, error ?? null],
  );
}

/** Leaves the job to whoever comes next, after a while; says how many of its steps failed one after the other. */
export async function leaveJob(
  ctx: Context,
  job: Job,
  { after_ms, isFailure }: { after_ms: number; isFailure: boolean },
): Promise<number> {
  const row = await ctx.db.console.one<{ failures: number }>(
    `update console.jobs set lease = null, leased_until = now() + $3 * interval '1 millisecond', failures = failures + $4
     where job_id = $1 and lease = $2 returning failures`,
    [job.jobId, job.lease, after_ms, isFailure ? 1 : 0],
  );
  return row?.failures ?? 0;
}
