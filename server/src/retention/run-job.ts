/**
 * A run of the retention, as a job: room by room, in the order of their ids, and in each room message by message. What stands in
 * the cursor is the room and how far it was looked at, so another worker goes on there; what was deleted is counted in
 * the transaction that deletes it. Where the policy changes during a run, the rest of it goes by the new one.
 */
import { z } from "zod";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { mediaStep } from "../media/expire.ts";
import { removeForJob } from "../rooms/purge-job.ts";
import type { Job, Progress, Step } from "../worker/job.ts";
import { databaseNow, nextExpired } from "./expired.ts";
import { heldUploaders, openHolds } from "./holds.ts";
import { type Lifetime, nextLifetimes, readServerPolicy, type ServerPolicy } from "./policy.ts";

const atRoom = z.object({
  phase: z.literal("messages"),
  /** The last room that is done. */
  doneRoom: z.string(),
  /** Of the room behind it, up to where it was looked at. */
  after: z.number(),
  now_ms: z.number(),
});
const atMedia = z.object({ phase: z.literal("media"), now_ms: z.number(), at: z.unknown() });
const cursor = z.discriminatedUnion("phase", [atRoom, atMedia]);
type AtRoom = z.output<typeof atRoom>;

export async function retentionStep(ctx: Context, job: Job): Promise<Step> {
  const server = await readServerPolicy(ctx);
  const at = job.cursor === null ? await beginning(ctx) : cursor.parse(job.cursor);
  if (!server) return { cursor: at, progress: job.progress, isDone: true };
  if (at.phase === "messages") return messagesStep(ctx, job, { server, at });
  if (server.mediaLifetime_ms === null) return { cursor: at, progress: job.progress, isDone: true };
  const before_ms = at.now_ms - server.mediaLifetime_ms;
  const held = await heldUploaders(ctx);
  const step = await mediaStep(ctx, { run: job.jobId, at: at.at, before_ms, held });
  const files = (job.progress["files_deleted"] ?? 0) + step.deleted;
  return { cursor: { ...at, at: step.at }, progress: { ...job.progress, files_deleted: files }, isDone: step.isDone };
}

async function beginning(ctx: Context): Promise<AtRoom> {
  // Whoever was told by these has heard of it long ago.
  const now_ms = await databaseNow(ctx);
  await ctx.db.log.query("select log.forget_removals($1)", [now_ms - limits.removalKept_ms]);
  return { phase: "messages", doneRoom: "", after: 0, now_ms };
}

/** Goes through rooms until so many messages were looked at that it is time to note the place. */
async function messagesStep(
  ctx: Context,
  job: Job,
  { server, at }: { server: ServerPolicy; at: AtRoom },
): Promise<Step> {
  const holds = await openHolds(ctx);
  const rooms = await nextLifetimes(ctx, server, { after: at.doneRoom, limit: limits.retentionStep_rooms });
  let next = at;
  let looked = 0;
  let progress = job.progress;
  for (const room of rooms) {
    if (looked >= limits.removalScan_events) break;
    const isKept = room.lifetime_ms === null || holds.rooms.includes(room.roomId);
    const seen = isKept ? undefined : await expire(ctx, job, { room, at: next, heldUsers: holds.users });
    looked += seen?.looked ?? 0;
    const isWhole = (seen?.looked ?? 0) < limits.removalScan_events;
    next = isWhole ? { ...next, doneRoom: room.roomId, after: 0 } : { ...next, after: seen?.last as number };
    if (isWhole) progress = counted(progress);
  }
  const isOver = rooms.length < limits.retentionStep_rooms && next.doneRoom === (rooms.at(-1)?.roomId ?? at.doneRoom);
  return isOver
    ? { cursor: { phase: "media", now_ms: at.now_ms, at: null }, progress, isDone: false }
    : { cursor: next, progress, isDone: false };
}

function counted(progress: Progress): Progress {
  return { ...progress, rooms_done: (progress["rooms_done"] ?? 0) + 1 };
}

/** Deletes what is over its time among the next messages of the room. */
async function expire(
  ctx: Context,
  job: Job,
  { room, at, heldUsers }: { room: Lifetime; at: AtRoom; heldUsers: readonly string[] },
): Promise<{ looked: number; last: number | null }> {
  const { roomId } = room;
  const before_ms = at.now_ms - (room.lifetime_ms as number);
  const found = await nextExpired(ctx, {
    roomId,
    after: at.after,
    before_ms,
    heldUsers,
    limit: limits.removalScan_events,
  });
  for (let start = 0; start < found.positions.length; start += limits.removal_events) {
    const positions = found.positions.slice(start, start + limits.removal_events);
    await removeForJob(ctx, job, { roomId, positions, withState: false });
  }
  return found;
}
