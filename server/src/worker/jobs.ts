/**
 * Jobs: what takes longer than a request may. A job is *queued*, then *running* under the lease of one worker, and ends as *done*,
 * *failed* or *cancelled*. It is done in steps; after each its place is noted and the lease prolonged. A worker that dies leaves
 * a lease that runs out, and the next one goes on at the last place that was noted: so a step may be done twice, and each
 * kind sees to it that this does no harm (job.ts).
 */
import type { Context } from "../context.ts";
import type { Transaction } from "../db/database.ts";
import { asError, MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { randomToken } from "../seams.ts";
import type { Job, Step } from "./job.ts";
import { stepOf } from "./job-kinds.ts";
import { claimJob, endJob, insertJob, leaveJob, type NewJob, noteStep } from "./job-queries.ts";

/** The runner of each process that has one: a job that is made there begins at once. */
const runners = new WeakMap<Context, () => void>();

/**
 * Makes a job, which the next free worker begins with. In a transaction of the schema console hand that in: the job is begun when it is
 * committed. Gives the job's id. Throws M_LIMIT_EXCEEDED where an open job has the same key.
 */
export async function createJob(ctx: Context, job: NewJob, transaction?: Transaction): Promise<number> {
  const jobId = await insertJob(transaction ?? ctx.db.console, job);
  const begin = () => runners.get(ctx)?.();
  if (transaction) transaction.onceCommitted(begin);
  else begin();
  return jobId;
}

/** Works on jobs, a few at a time, until the function that it gives is called. */
export function startJobs(ctx: Context): Promise<() => Promise<void>> {
  const running = new Set<Promise<void>>();
  const look = (): void => {
    if (running.size >= limits.jobsAtOnce || ctx.stopping.aborted) return;
    const run = runJobs(ctx)
      .catch((thrown: unknown) => ctx.logger.warn({ reason: asError(thrown).message }, "jobs could not be looked for"))
      .finally(() => running.delete(run));
    running.add(run);
  };
  const poll = ctx.seams.every(limits.jobsPoll_ms, look);
  runners.set(ctx, look);
  look();
  return Promise.resolve(async () => {
    poll.cancel();
    runners.delete(ctx);
    await Promise.all(running);
  });
}

/** Works on one job after the other until there is none that nobody works on. */
export async function runJobs(ctx: Context): Promise<void> {
  while (!ctx.stopping.aborted) {
    const job = await claimJob(ctx, randomToken(ctx.seams, 16));
    if (!job) return;
    if (job.isCancelled) await endJob(ctx, job, { state: "cancelled" });
    else if (job.failures >= limits.job_failures) await endJob(ctx, job, { state: "failed", error: DIED });
    else await work(ctx, job);
  }
}

const DIED = "Whoever worked on it ended before a step was done, every time: see the servers' logs.";

async function work(ctx: Context, job: Job): Promise<void> {
  try {
    await runSteps(ctx, job);
  } catch (thrown) {
    await giveUp(ctx, job, asError(thrown));
  }
}

async function runSteps(ctx: Context, job: Job): Promise<void> {
  const run = await stepOf(job.kind);
  let at: Job = job;
  while (!ctx.stopping.aborted) {
    const step: Step = await run(ctx, at);
    const goesOn = await noteStep(ctx, at, step);
    if (goesOn === "lost") return;
    if (step.isDone) return endJob(ctx, at, { state: "done" });
    if (goesOn === "cancelled") return endJob(ctx, at, { state: "cancelled" });
    at = { ...at, cursor: step.cursor, progress: step.progress };
  }
  await leaveJob(ctx, at, { after_ms: 0, isFailure: false });
}

/** What no further try would change ends the job; anything else is tried again a few times, by whoever comes next. */
async function giveUp(ctx: Context, job: Job, error: Error): Promise<void> {
  const isAway = error instanceof MatrixError && error.errcode === "IO_PARLEY_UNAVAILABLE";
  if (error instanceof MatrixError && !isAway) return endJob(ctx, job, { state: "failed", error: error.message });
  const failures = await leaveJob(ctx, job, { after_ms: limits.jobRetry_ms, isFailure: !isAway });
  ctx.logger.warn({ job: job.jobId, kind: job.kind, reason: error.message }, "a step of a job failed");
  if (failures < limits.job_failures) return;
  await ctx.db.console.change(
    "update console.jobs set state = 'failed', error = $2, ended_at = now() where job_id = $1 and lease is null and state = 'running'",
    [job.jobId, error instanceof MatrixError ? error.message : "A step failed again and again: see the server's log."],
  );
}
