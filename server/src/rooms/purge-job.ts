/**
 * The purge of a room, as a job: *timeline* takes out all events but current state, *receipts* what people noted of it, *state* what
 * the room was. There stay the event that created it and everybody's last membership, from which a device that was away learns
 * that it is out; and the answers to transactions, so that a late retry gets its own.
 *
 * Every step can be done again: it looks at what is there. See docs/decisions/0044-retention-removes-rows.md.
 */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { isHeld } from "../retention/holds.ts";
import { pause } from "../seams.ts";
import type { Job, Step } from "../worker/job.ts";

export const purgeParameters = z.object({ roomId: z.string() });

export const purgeCursor = z
  .discriminatedUnion("phase", [
    z.object({ phase: z.literal("timeline"), after: z.number() }),
    z.object({ phase: z.literal("receipts") }),
    z.object({ phase: z.literal("state") }),
  ])
  .nullable()
  .transform((cursor) => cursor ?? { phase: "timeline" as const, after: 0 });

export type PurgeCursor = z.output<typeof purgeCursor>;

/** One step of a purge. The room must be empty of people. */
export async function purgeStep(ctx: Context, job: Job): Promise<Step> {
  const { roomId } = purgeParameters.parse(job.parameters);
  const cursor = await purgeMore(ctx, job, { roomId, at: purgeCursor.parse(job.cursor) });
  return { cursor: cursor ?? null, progress: job.progress, isDone: cursor === undefined };
}

/** Goes on with the purge from there; gives the place behind, undefined at the end. */
export async function purgeMore(
  ctx: Context,
  job: Job,
  { roomId, at }: { roomId: string; at: PurgeCursor },
): Promise<PurgeCursor | undefined> {
  // Events are looked after where they are removed; what people noted of them is not.
  if (await isHeld(ctx, roomId)) throw held();
  if (at.phase === "timeline") return purgeTimeline(ctx, job, { roomId, after: at.after });
  if (at.phase === "receipts") return (await forgetNotes(ctx, roomId)) ? at : { phase: "state" };
  await purgeState(ctx, job, roomId);
  return undefined;
}

async function purgeTimeline(
  ctx: Context,
  job: Job,
  { roomId, after }: { roomId: string; after: number },
): Promise<PurgeCursor> {
  const rows = await ctx.db.log.query<{ position: number }>(
    "select position from log.entries where kind = 'event' and room_id = $1 and position > $2 order by position limit $3",
    [roomId, after, limits.removal_events],
  );
  const positions = rows.map(({ position }) => position);
  const last = positions.at(-1);
  if (last === undefined) return { phase: "receipts" };
  await removeForJob(ctx, job, { roomId, positions, withState: true });
  return { phase: "timeline", after: last };
}

/**
 * Takes events out for the job, which counts them, and lets whoever wants to write have a turn. Gives how many went. Throws where
 * the job is another worker's by now.
 */
export async function removeForJob(
  ctx: Context,
  job: Job,
  { roomId, positions, withState }: { roomId: string; positions: readonly number[]; withState: boolean },
): Promise<number> {
  const row = await ctx.db.console.one<{ removed: number | null }>(
    "select console.remove_for_job($1, $2, $3, $4, $5) as removed",
    [job.jobId, job.lease, roomId, positions, withState],
  );
  const removed = row?.removed ?? null;
  if (removed === null) throw new Error(`the job ${job.jobId} is not this worker's any more`);
  await pause(ctx.seams, limits.removalPause_ms);
  return removed;
}

const RECEIPTS = `with gone as (
    delete from log.receipts where ctid = any (array(select ctid from log.receipts where room_id = $1 limit $2)) returning position
  ) delete from log.entries e using gone where e.position = gone.position and e.kind = 'receipt'`;
const ACCOUNT_DATA = `with gone as (
    delete from log.account_data a using log.members m
    where m.room_id = $1 and a.user_id = m.user_id and a.room_id = $1 returning a.position
  ) delete from log.entries e using gone where e.position = gone.position and e.kind = 'account_data'`;

/** Forgets receipts and people's own data of the room; says whether there may be more. */
async function forgetNotes(ctx: Context, roomId: string): Promise<boolean> {
  if ((await ctx.db.log.change(RECEIPTS, [roomId, limits.removal_events])) > 0) return true;
  await ctx.db.log.change(ACCOUNT_DATA, [roomId]);
  return false;
}

const held = () => matrixError("M_FORBIDDEN", "A legal hold keeps this room.");

async function purgeState(ctx: Context, job: Job, roomId: string): Promise<void> {
  const row = await ctx.db.console.one<{ position: number | null; outcome: string }>(
    "select outcome, at as position from console.purge_for_job($1, $2, $3)",
    [job.jobId, job.lease, roomId],
  );
  if (row?.outcome === "held") throw held();
  if (row?.outcome === "peopled")
    throw matrixError("M_FORBIDDEN", "Somebody is in the room again. Shut it down first.");
  if (row?.outcome !== "purged") throw new Error(`the job ${job.jobId} is not this worker's any more`);
  await ctx.log.reached(row.position as number);
}
