/**
 * The doctor as the console runs it: in a process that serves, with its settings, in the background. What it finds is written down
 * as it is found, so that whoever asks sees how far it is. One of the workers runs it every few hours, for the attention list.
 */
import type { Finding } from "../cli/doctor/finding.ts";
import type { Context } from "../context.ts";
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import { eachMinute, startRounds } from "../rounds.ts";
import { beginRun, endRun, noteRun } from "./runs.ts";

export interface DoctorOptions {
  /** Also what takes minutes. */
  isSlow: boolean;
  /** Who asked: a user id, or "worker". */
  by: string;
}

/** Begins an examination and gives the id of its run; it goes on in the background. */
export async function startDoctor(ctx: Context, options: DoctorOptions): Promise<number> {
  const id = await beginRun(ctx, "doctor", { slow: options.isSlow, by: options.by, findings: [] });
  examineBehind(ctx, id, options);
  return id;
}

function examineBehind(ctx: Context, id: number, options: DoctorOptions): void {
  void examineAll(ctx, id, options).catch((thrown: unknown) =>
    ctx.logger.warn({ reason: asError(thrown).message }, "a run of the doctor could not be written down"),
  );
}

async function examineAll(ctx: Context, id: number, { isSlow, by }: DoctorOptions): Promise<void> {
  const { examine } = await import("../cli/doctor.ts");
  const findings: Finding[] = [];
  const detail = () => ({ slow: isSlow, by, findings });
  // One after the other, so that none is overtaken by the one before.
  let writing: Promise<void> = Promise.resolve();
  const note = (finding: Finding) => {
    findings.push(finding);
    writing = writing.then(() => noteRun(ctx, id, detail())).catch(() => {});
  };
  try {
    await examine(inProcess(ctx, isSlow), ctx.config, note);
  } catch (thrown) {
    note({ check: "doctor", state: "failure", says: `The examination broke off: ${asError(thrown).message}` });
  }
  await writing;
  await endRun(ctx, id, { ok: findings.every(({ state }) => state !== "failure"), detail: detail() });
}

/** As a command would be called, by a process that serves. */
export function inProcess({ config, dataDir, seams }: Context, isSlow = false) {
  // Where the embedded database is: a test's process, and one with another checkout, has it elsewhere than the settings say.
  return { seams, options: { slow: isSlow }, say: () => {}, config: () => ({ ...config, dataDir }) };
}

/** A part of the worker. */
export function startExamining(ctx: Context): Promise<() => Promise<void>> {
  const wait_ms = eachMinute(ctx, ctx.seams.randomInt(limits.doctorSpread_ms));
  const failed = "it could not be seen whether a run of the doctor is due";
  return Promise.resolve(startRounds(ctx, { wait_ms, act: () => examineIfDue(ctx), failed }));
}

/** A run that did not end belongs to a process that did. */
async function examineIfDue(ctx: Context): Promise<void> {
  if (ctx.stopping.aborted) return;
  const due = await ctx.db.console.one<{ id: number }>(
    `insert into console.runs (kind, detail)
     select 'doctor', '{"by":"worker"}' where not exists (
       select from console.runs where kind = 'doctor' and started_at > now() - $1 * interval '1 millisecond'
     ) and pg_try_advisory_xact_lock(${DOCTOR_LOCK})
     returning id`,
    [limits.doctorEvery_ms],
  );
  if (due) examineBehind(ctx, due.id, { isSlow: false, by: "worker" });
}

/** Any constant does: of workers that look at the same moment one goes on. */
const DOCTOR_LOCK = 7_201_184_412;
