/**
 * A transfer of somebody's rooms, as a job: *rooms* takes them some at a time, in the order of their ids, and *end* writes into the audit
 * log what became of them. A room that is done again is found done; so after a worker has died some are counted as ones that were
 * right already. See transfer.ts.
 */
import { z } from "zod";
import { tellAudit, writeAudit } from "../console/audit/append.ts";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import type { Job, Progress, Step } from "../worker/job.ts";
import { type Outlook, requireSuccessor, roomsOf, transferRoom } from "./transfer.ts";

const parameters = z.object({ userId: z.string(), to: z.string(), onlySole: z.boolean() });
type Asked = z.output<typeof parameters>;

const cursor = z
  .discriminatedUnion("phase", [
    z.object({ phase: z.literal("rooms"), after: z.string() }),
    z.object({ phase: z.literal("end") }),
    z.object({ phase: z.literal("told") }),
  ])
  .nullable()
  .transform((at) => at ?? { phase: "rooms" as const, after: "" });

export async function transferStep(ctx: Context, job: Job): Promise<Step> {
  const asked = parameters.parse(job.parameters);
  const at = cursor.parse(job.cursor);
  if (at.phase === "rooms") return transferSome(ctx, job, { asked, after: at.after });
  if (at.phase === "end") await tell(ctx, job, asked);
  return { cursor: { phase: "told" }, progress: job.progress, isDone: true };
}

const NOTHING: Progress = { rooms_changed: 0, invited: 0, rooms_already: 0, rooms_refused: 0, rooms_direct: 0 };

async function transferSome(ctx: Context, job: Job, { asked, after }: { asked: Asked; after: string }): Promise<Step> {
  await requireSuccessor(ctx, asked);
  const rest = (await roomsOf(ctx, asked.userId)).filter((roomId) => roomId > after);
  const some = rest.slice(0, limits.transferStep_rooms);
  let progress = { ...NOTHING, ...job.progress };
  for (const roomId of some) progress = counted(progress, await transferRoom(ctx, roomId, asked));
  const last = some.at(-1);
  const next = last === undefined ? { phase: "end" } : { phase: "rooms", after: last };
  return { cursor: next, progress, isDone: false };
}

function counted(progress: Record<string, number>, outlook: Outlook): Record<string, number> {
  const more = { ...progress };
  const add = (name: string) => (more[name] = (more[name] ?? 0) + 1);
  if (outlook.is === "change") {
    add("rooms_changed");
    if (outlook.invites) add("invited");
  }
  if (outlook.is === "already") add("rooms_already");
  if (outlook.is === "refused") add("rooms_refused");
  if (outlook.is === "direct") add("rooms_direct");
  return more;
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
      change: { after: { job_id: job.jobId, to, only_sole: onlySole, ...job.progress } },
    });
    return [entry];
  });
  tellAudit(ctx, written);
}
