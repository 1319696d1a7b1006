/** What a job is to those who describe one. The runner is jobs.ts, and all kinds are listed in job-kinds.ts. */
import type { Context } from "../context.ts";

export interface Job {
  jobId: number;
  kind: string;
  /** What was asked for; the kind knows its shape. */
  parameters: unknown;
  /** What the step before gave; null for the first. */
  cursor: unknown;
  progress: Progress;
  createdBy: string;
  /** Whose turn it is: for statements that must not count once the job is another worker's. */
  lease: string;
}

/** How far a job is: numbers by name, such as rooms_done and rooms_total. */
export type Progress = Readonly<Record<string, number>>;

export interface Step {
  /** Where the next step begins: JSON. */
  cursor: unknown;
  progress: Progress;
  isDone: boolean;
}

/**
 * One step of a job. It takes far less than `limits.jobLease_ms`, and does no harm when it is done twice: a worker that dies
 * between a step and the note of it leaves it to be done again. Throws MatrixError for what no further try would change.
 */
export type JobKind = (ctx: Context, job: Job) => Promise<Step>;
