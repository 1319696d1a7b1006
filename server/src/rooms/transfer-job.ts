/**
 * A transfer of somebody's rooms, as a job: *rooms* takes them some at a time, in the order of their ids, and *end* writes into the audit
 * log what became of them. Some rooms take two steps: the first notes what is to become of them, the second does it and counts. So a worker
 * that comes after one that has died knows which of the rooms that it finds done this job has done. See transfer.ts.
 */
import { z } from "zod";
import { tellAudit, writeAudit } from "../console/audit/append.ts";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import type { Job, Progress, Step } from "../worker/job.ts";
import { type Outlook, outlookOf, requireSuccessor, roomsOf, transferRoom } from "./transfer.ts";

const parameters = z.object({ userId: z.string(), to: z.string(), onlySole: z.boolean() });
type Asked = z.output<typeof parameters>;

/** What is to become of a room. Where it is no change, that is what is counted. */
const planned = z.object({
  roomId: z.string(),
  is: z.enum(["none", "replaced", "direct", "shared", "open", "already", "refused", "change"]),
  invites: z.boolean(),
});
type Planned = z.output<typeof planned>;

const cursor = z
  .discriminatedUnion("phase", [
    // A version from before there was a plan does not see it, and does the rooms that are behind `after`.
    z.object({ phase: z.literal("rooms"), after: z.string(), plan: z.array(planned).optional() }),
    z.object({ phase: z.literal("end") }),
    z.object({ phase: z.literal("told") }),
  ])
  .nullable()
  .transform((at) => at ?? { phase: "rooms" as const, after: "" });

export async function transferStep(ctx: Context, job: Job): Promise<Step> {
  const asked = parameters.parse(job.parameters);
  const at = cursor.parse(job.cursor);
  if (at.phase === "rooms")
    return at.plan ? transferSome(ctx, job, { asked, plan: at.plan }) : planSome(ctx, job, { asked, after: at.after });
  if (at.phase === "end") await tell(ctx, job, asked);
  return { cursor: { phase: "told" }, progress: job.progress, isDone: true };
}

async function planSome(ctx: Context, job: Job, { asked, after }: { asked: Asked; after: string }): Promise<Step> {
  await requireSuccessor(ctx, asked);
  const rest = (await roomsOf(ctx, asked.userId)).filter((roomId) => roomId > after);
  const plan: Planned[] = [];
  for (const roomId of rest.slice(0, limits.transferStep_rooms)) {
    const room = await ctx.rooms.find(roomId);
    const outlook: Outlook = room ? await outlookOf(ctx, room, asked) : { is: "none" };
    plan.push({ roomId, is: outlook.is, invites: outlook.is === "change" && outlook.invites });
  }
  const next = plan.length === 0 ? { phase: "end" } : { phase: "rooms", after, plan };
  return { cursor: next, progress: { ...NOTHING, ...job.progress }, isDone: false };
}

const NOTHING: Progress = {
  rooms_changed: 0,
  invited: 0,
  rooms_already: 0,
  rooms_refused: 0,
  rooms_direct: 0,
  rooms_replaced: 0,
};

async function transferSome(ctx: Context, job: Job, { asked, plan }: { asked: Asked; plan: Planned[] }): Promise<Step> {
  await requireSuccessor(ctx, asked);
  let progress = { ...NOTHING, ...job.progress };
  for (const each of plan) progress = counted(progress, each.is === "change" ? await done(ctx, each, asked) : each);
  return { cursor: { phase: "rooms", after: plan.at(-1)?.roomId ?? "" }, progress, isDone: false };
}

/** Does what was planned, and gives what became of it: what is found done by then was done by who had the job before. */
async function done(ctx: Context, change: Planned, asked: Asked): Promise<Counted> {
  const outlook = await transferRoom(ctx, change.roomId, asked);
  const isMade = ["change", "already"].includes(outlook.is) || (await isTheirs(ctx, change.roomId, { asked, outlook }));
  return isMade ? change : { is: outlook.is, invites: false };
}

/** Whether a room counts as shared because the successor, who was in it before, has the power in it by now. */
async function isTheirs(
  ctx: Context,
  roomId: string,
  { asked, outlook }: { asked: Asked; outlook: Outlook },
): Promise<boolean> {
  const room = outlook.is === "shared" ? await ctx.rooms.find(roomId) : undefined;
  return room !== undefined && (await outlookOf(ctx, room, { ...asked, onlySole: false })).is === "already";
}

type Counted = Pick<Planned, "is" | "invites">;

const NAMES: Partial<Record<Outlook["is"], string>> = {
  change: "rooms_changed",
  already: "rooms_already",
  refused: "rooms_refused",
  direct: "rooms_direct",
  replaced: "rooms_replaced",
};

function counted(progress: Progress, { is, invites }: Counted): Record<string, number> {
  const names = [NAMES[is], invites ? "invited" : undefined].filter((name) => name !== undefined);
  return { ...progress, ...Object.fromEntries(names.map((name) => [name, (progress[name] ?? 0) + 1])) };
}

/** Once: the job's place moves on in the transaction of the entry. */
async function tell(ctx: Context, job: Job, { userId, to, onlySole }: Asked): Promise<void> {
  const written = await ctx.db.console.transaction(async (db) => {
    const moved = await db.change(
      `update console.jobs set cursor = '{"phase":"told"}' where job_id = $1 and lease = $2 and state = 'running'`,
      [job.jobId, job.lease],
    );
    if (moved === 0) return [];
    const entry = await writeAudit(db, {
      actor: { userId: job.createdBy, via: "job", address: "" },
      action: "users.transferred",
      target: userId,
      outcome: "done",
      change: { after: { job_id: job.jobId, to, to_self: to === job.createdBy, only_sole: onlySole, ...job.progress } },
    });
    return [entry];
  });
  tellAudit(ctx, written);
}
