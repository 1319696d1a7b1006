/** The doctor, run from the console. */
import { z } from "zod";
import { operation, type Operation } from "../console/operation.ts";
import { time } from "../console/users/shapes.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { startDoctor } from "./doctor.ts";
import { listRuns, readRun, type Run } from "./runs.ts";

const finding = z.object({
  check: z.string(),
  state: z.enum(["ok", "warning", "failure"]),
  says: z.string(),
  fix: z.string().optional(),
});

const examination = z.object({
  run_id: z.int(),
  state: z.enum(["running", "done", "lost"]).meta({ description: "lost: the process that ran it ended." }),
  started_ts: time,
  ended_ts: time.nullable(),
  slow: z.boolean(),
  by: z.string().meta({ description: 'Who asked for it; "worker" for those that come by themselves.' }),
  findings: z.array(finding).meta({ description: "So far." }),
});

function shown({ id, started_ms, ended_ms, detail }: Run, now_ms: number): z.input<typeof examination> {
  const { slow = false, by = "", findings = [] } = detail as { slow?: boolean; by?: string; findings?: never[] };
  const isLost = ended_ms === null && now_ms - started_ms > limits.doctorLost_ms;
  const state = ended_ms !== null ? "done" : isLost ? "lost" : "running";
  return { run_id: id, state, started_ts: started_ms, ended_ts: ended_ms, slow, by, findings };
}

const start = operation({
  id: "system.doctor_run",
  method: "POST",
  path: "/system/doctor",
  summary: "Has the doctor look at everything",
  description: "It goes on in the background; what it finds is told by `GET /system/doctor` as it is found.",
  role: "operator",
  body: z.object({
    slow: z
      .boolean()
      .default(false)
      .meta({ description: "Also keeps connections idle through the public address: minutes." }),
  }),
  answer: z.object({ run_id: z.int() }),
  command: { name: "system doctor run" },
  target: () => "doctor",
  handle: async ({ body: { slow }, actor }, ctx) => ({
    run_id: await startDoctor(ctx, { isSlow: slow, by: actor.userId }),
  }),
});

const read = operation({
  id: "system.doctor",
  method: "GET",
  path: "/system/doctor",
  summary: "Shows what the doctor found",
  role: "auditor",
  query: z.object({ run_id: z.coerce.number().int().optional().meta({ description: "By default the newest run." }) }),
  answer: z.object({ run: examination.nullable() }),
  command: { name: "system doctor show" },
  async handle({ query: { run_id } }, ctx) {
    const found = run_id === undefined ? (await listRuns(ctx, "doctor", 1))[0] : await readRun(ctx, run_id);
    if (run_id !== undefined && found?.kind !== "doctor") throw matrixError("M_NOT_FOUND", "There is no such run.");
    return { run: found ? shown(found, ctx.seams.now_ms()) : null };
  },
});

export const operations: readonly Operation[] = [start, read];
