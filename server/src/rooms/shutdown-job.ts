/**
 * Shutting a room down, as a job: *members* takes everybody out, some at a time, *names* takes its aliases and its place in the
 * directory away, and *purge*, where that is asked for, everything else. It was blocked before, where that was asked for.
 */
import { z } from "zod";
import type { Context } from "../context.ts";
import { aliasesOf, drop } from "../directory/aliases.ts";
import { withdraw } from "../directory/visibility.ts";
import { limits } from "../limits.ts";
import type { Job, Progress, Step } from "../worker/job.ts";
import { memberContent, memberProposal } from "./member-body.ts";
import { purgeCursor, purgeMore } from "./purge-job.ts";
import type { RoomState } from "./state.ts";
import { submit } from "./submit.ts";

const parameters = z.object({ roomId: z.string(), message: z.string().optional(), purge: z.boolean() });
const cursor = z
  .discriminatedUnion("phase", [
    z.object({ phase: z.literal("members") }),
    z.object({ phase: z.literal("names") }),
    z.object({ phase: z.literal("purge"), at: purgeCursor }),
  ])
  .nullable()
  .transform((at) => at ?? { phase: "members" as const });

export async function shutdownStep(ctx: Context, job: Job): Promise<Step> {
  const { roomId, message, purge } = parameters.parse(job.parameters);
  const at = cursor.parse(job.cursor);
  if (at.phase === "members") {
    const left = await takeOut(ctx, roomId, message);
    const progress = { ...job.progress, members_removed: (job.progress["members_removed"] ?? 0) + left };
    return on(progress, { phase: left === 0 ? "names" : "members" });
  }
  if (at.phase === "names") {
    await takeNames(ctx, roomId);
    return purge
      ? on(job.progress, { phase: "purge", at: null })
      : { cursor: at, progress: job.progress, isDone: true };
  }
  const next = await purgeMore(ctx, job, { roomId, at: at.at });
  return next ? on(job.progress, { phase: "purge", at: next }) : { cursor: at, progress: job.progress, isDone: true };
}

function on(progress: Progress, next: unknown): Step {
  return { cursor: next, progress, isDone: false };
}

/** Whoever is in the room, is invited to it or knocks on it. */
function* peopleIn(room: RoomState): Generator<string> {
  for (const [userId, membership] of room.memberships())
    if (membership === "join" || membership === "invite" || membership === "knock") yield userId;
}

/** Lets some of them leave, each by themselves: that takes nobody's power. Gives how many left; throws what the room's rules say against it. */
async function takeOut(ctx: Context, roomId: string, reason: string | undefined): Promise<number> {
  const room = await ctx.rooms.load(roomId);
  const some = [...peopleIn(room)].slice(0, limits.shutdown_members);
  await Promise.all(some.map((userId) => leave(ctx, { roomId, userId, reason })));
  return some.length;
}

async function leave(
  ctx: Context,
  { roomId, userId, reason }: { roomId: string; userId: string; reason: string | undefined },
): Promise<void> {
  const proposal = memberProposal(userId, userId, memberContent("leave", { reason }));
  const isOut = (room: RoomState) => !["join", "invite", "knock"].includes(room.membership(userId) ?? "");
  await submit(ctx, {
    roomId,
    propose: (room) => (isOut(room) ? { already: room.get("m.room.member", userId)?.event_id ?? "" } : proposal),
  });
}

async function takeNames(ctx: Context, roomId: string): Promise<void> {
  for (const alias of await aliasesOf(ctx, roomId)) await drop(ctx, alias, roomId);
  await withdraw(ctx, roomId);
}
