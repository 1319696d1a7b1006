/**
 * The erasure of a person, as a job. The account ends first, so that nothing comes after; then what it had goes, domain by domain, and
 * at the end everything that is left is counted: that is the proof. Each step looks at what is there and can be done again.
 *
 * There stay: the name, which nobody else may ever have; that they were in a room; what is a room's state now and would be missed by
 * others (its name, who may do what); and what a legal hold keeps. See docs/operations/persons.md.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { eraseOwn as eraseAccount } from "../account/for-export.ts";
import { deactivateAccount } from "../auth/deactivate.ts";
import { eraseExternalIds } from "../auth/sso/accounts.ts";
import { eraseAcceptedPolicies } from "../auth/terms/acceptance.ts";
import { writeAudit } from "../console/audit/append.ts";
import type { Context } from "../context.ts";
import { eraseOwn as eraseInDirectory } from "../directory/for-export.ts";
import { limits } from "../limits.ts";
import { eraseUploads, uploadIdsOf } from "../media/for-export.ts";
import { removeMedia } from "../media/remove.ts";
import { eraseMemberships, eraseNotes, nextSent } from "../messages/for-export.ts";
import { heldUploaders } from "../retention/holds.ts";
import { removeForJob } from "../rooms/purge-job.ts";
import { eraseProvisioned } from "../scim/for-export.ts";
import type { Job, Step } from "../worker/job.ts";
import { sections } from "./sections.ts";

const parameters = z.object({ userId: z.string() });

const cursor = z.discriminatedUnion("phase", [
  z.object({ phase: z.literal("account") }),
  z.object({ phase: z.literal("events"), roomId: z.string(), after: z.number() }),
  z.object({ phase: z.literal("notes") }),
  z.object({ phase: z.literal("files") }),
  z.object({ phase: z.literal("proof") }),
]);
type Cursor = z.output<typeof cursor>;

export async function eraseStep(ctx: Context, job: Job): Promise<Step> {
  const { userId } = parameters.parse(job.parameters);
  const at: Cursor = job.cursor === null ? { phase: "account" } : cursor.parse(job.cursor);
  const did = await phases[at.phase](ctx, job, { userId, at } as never);
  const progress = { ...job.progress };
  for (const [name, count] of Object.entries(did.counts ?? {})) progress[name] = (progress[name] ?? 0) + count;
  return { cursor: did.next ?? at, progress, isDone: did.next === undefined };
}

interface Did {
  next: Cursor | undefined;
  counts?: Record<string, number>;
}

type Phase<P extends Cursor["phase"]> = (
  ctx: Context,
  job: Job,
  asked: { userId: string; at: Extract<Cursor, { phase: P }> },
) => Promise<Did>;

const phases: { [P in Cursor["phase"]]: Phase<P> } = {
  async account(ctx, _job, { userId }) {
    await deactivateAccount(ctx, userId, true);
    return { next: { phase: "events", roomId: "", after: 0 } };
  },

  async events(ctx, job, { userId, at }) {
    const sent = await nextSent(ctx, userId, at);
    if (!sent) return { next: { phase: "notes" } };
    let removed = 0;
    const positions = sent.events.map(({ position }) => position);
    for (let start = 0; start < positions.length; start += limits.removal_events) {
      const some = positions.slice(start, start + limits.removal_events);
      removed += await removeForJob(ctx, job, { roomId: sent.roomId, positions: some, withState: true });
    }
    const next = sent.next ?? { roomId: sent.roomId, after: 0 };
    return { next: { phase: "events", ...next }, counts: { events_removed: removed } };
  },

  async notes(ctx, _job, { userId }) {
    if (await eraseNotes(ctx, userId)) return { next: { phase: "notes" } };
    await eraseMemberships(ctx, userId);
    await eraseAccount(ctx, userId);
    await eraseExternalIds(ctx, userId);
    await eraseAcceptedPolicies(ctx, userId);
    await eraseProvisioned(ctx, userId);
    await eraseInDirectory(ctx, userId);
    await ctx.db.console.change("delete from console.exports where user_id = $1", [userId]);
    return { next: { phase: "files" } };
  },

  async files(ctx, _job, { userId }) {
    const isHeld = (await heldUploaders(ctx)).includes(userId);
    if (!isHeld) await eraseUploads(ctx, userId);
    const ids = isHeld ? [] : await uploadIdsOf(ctx, userId, limits.personFiles);
    if (ids.length === 0) return { next: { phase: "proof" } };
    return { next: { phase: "files" }, counts: { files_removed: await removeMedia(ctx, ids) } };
  },

  async proof(ctx, job, { userId }) {
    await prove(ctx, job, userId);
    return { next: undefined };
  },
};

/** What the server still has of the person, counted anew; its digest stands in the audit log, which can not be changed afterwards. */
async function prove(ctx: Context, job: Job, userId: string): Promise<void> {
  const left: Record<string, number> = {};
  for (const { name, read } of sections)
    left[name] = await count((after) => read(ctx, { userId, after, limit: limits.exportPart_records }));
  const held = { is_held: (await heldUploaders(ctx)).includes(userId) };
  const proof = { user_id: userId, ended_ts: ctx.seams.now_ms(), removed: job.progress, left, ...held };
  const text = JSON.stringify(proof);
  const sha256 = createHash("sha256").update(text).digest("hex");
  await ctx.db.console.transaction(async (db) => {
    const kept = await db.one(
      `insert into console.erasures (job_id, user_id, created_by, proof)
       select job_id, $3, created_by, $4 from console.jobs where job_id = $1 and lease = $2
       on conflict (job_id) do nothing returning job_id`,
      [job.jobId, job.lease, userId, text],
    );
    if (!kept) return;
    await writeAudit(db, {
      actor: { userId: job.createdBy, via: "job", address: "" },
      action: "users.erased",
      target: userId,
      outcome: "done",
      change: { after: { ...proof, proof_sha256: sha256 } },
    });
  });
}

async function count(
  read: (after: string) => Promise<{ records: readonly string[]; next: string | undefined }>,
): Promise<number> {
  let all = 0;
  for (let after: string | undefined = ""; after !== undefined;) {
    const page = await read(after);
    all += page.records.length;
    after = page.next;
  }
  return all;
}
