/** What operators see of jobs, and how they call one off. */
import { z } from "zod";
import { cursorOf, readCursor } from "../console/cursor.ts";
import { operation, type Operation, pageOf, pageQuery } from "../console/operation.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";

const states = ["queued", "running", "done", "failed", "cancelled"] as const;

const job = z.object({
  job_id: z.int(),
  kind: z.string().meta({ description: "The operation that made it, such as room.purge." }),
  state: z.enum(states),
  target: z.string().nullable(),
  progress: z.record(z.string(), z.number()).meta({ description: "How far it is: numbers by name." }),
  events_removed: z.int(),
  error: z.string().nullable(),
  cancel_asked: z.boolean(),
  created_by: z.string(),
  created_ts: z.int(),
  started_ts: z.int().nullable(),
  ended_ts: z.int().nullable(),
});

const millis = (column: string) => `floor(extract(epoch from ${column}) * 1000)::bigint`;
const COLUMNS = `job_id, kind, state, target, progress, removed as events_removed, error, cancel_asked, created_by,
  ${millis("created_at")} as created_ts, ${millis("started_at")} as started_ts, ${millis("ended_at")} as ended_ts`;

type Row = Omit<z.output<typeof job>, "progress"> & { progress: string };

function told(row: Row): z.output<typeof job> {
  return { ...row, progress: JSON.parse(row.progress) as Record<string, number> };
}

/** One job. Throws M_NOT_FOUND. */
async function readJob(ctx: Context, jobId: number): Promise<z.output<typeof job>> {
  const row = await ctx.db.console.one<Row>(`select ${COLUMNS} from console.jobs where job_id = $1`, [jobId]);
  if (!row) throw matrixError("M_NOT_FOUND", `There is no job ${jobId}.`);
  return told(row);
}

function idOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw matrixError("M_NOT_FOUND", `There is no job ${text}.`);
  return Number(text);
}

const listJobs = operation({
  id: "jobs.list",
  method: "GET",
  path: "/jobs",
  summary: "Lists long acts, the newest first",
  role: "auditor",
  query: z.object({
    limit: pageQuery.limit,
    from: pageQuery.from,
    state: z.enum([...states, "open"]).optional(),
    kind: z.string().max(100).optional(),
  }),
  answer: pageOf(job),
  command: {
    name: "job list",
    columns: ["job_id", "kind", "state", "target", "events_removed", "created_by", "created_ts"],
  },
  async handle({ query: { limit, from, state, kind } }, ctx) {
    const before = from === undefined ? null : readCursor(from, z.tuple([z.int()]))[0];
    const wanted = state === undefined ? states : state === "open" ? ["queued", "running"] : [state];
    const rows = await ctx.db.console.query<Row>(
      `select ${COLUMNS} from console.jobs
       where state = any ($1) and ($2::text is null or kind = $2) and ($3::bigint is null or job_id < $3)
       order by job_id desc limit $4`,
      [wanted, kind ?? null, before, limit + 1],
    );
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return { items: rows.slice(0, limit).map(told), ...(last ? { next: cursorOf([last.job_id]) } : {}) };
  },
});

const readOne = operation({
  id: "jobs.read",
  method: "GET",
  path: "/jobs/:jobId",
  summary: "Shows a job",
  role: "auditor",
  answer: job,
  command: { name: "job show", arguments: ["jobId"] },
  handle: ({ params }, ctx) => readJob(ctx, idOf(params.jobId)),
});

const cancelJob = operation({
  id: "jobs.cancel",
  method: "POST",
  path: "/jobs/:jobId/cancel",
  summary: "Calls a job off",
  description: "What it has done stays done. A running job ends behind its current step.",
  role: "operator",
  answer: job,
  command: { name: "job cancel", arguments: ["jobId"] },
  async handle({ params, audit }, ctx) {
    const jobId = idOf(params.jobId);
    const before = await readJob(ctx, jobId);
    const changed = await ctx.db.console.change(
      `update console.jobs set cancel_asked = true,
         state = case when state = 'queued' then 'cancelled' else state end,
         ended_at = case when state = 'queued' then now() end
       where job_id = $1 and state in ('queued', 'running')`,
      [jobId],
    );
    if (changed === 0) throw matrixError("M_INVALID_PARAM", `The job is over: it is ${before.state}.`, { status: 409 });
    const after = await readJob(ctx, jobId);
    audit({ before: { state: before.state }, after: { state: after.state, cancel_asked: true } });
    return after;
  },
});

export const jobOperations: readonly Operation[] = [listJobs, readOne, cancelJob];
