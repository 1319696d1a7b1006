/** What owners do on behalf of a person who asks what the server has of them, or wants it gone. */
import { z } from "zod";
import { operation, type Operation, pageOf, reasonSchema } from "../console/operation.ts";
import { mayActOn } from "../console/users/may.ts";
import { readStanding } from "../auth/for-operators.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { Answer } from "../http.ts";
import { isOpened } from "../legal/access.ts";
import { openHolds } from "../retention/holds.ts";
import { createJob } from "../worker/jobs.ts";
import { archiveHeaders, archiveOf, beginExport, listExports } from "./exports.ts";

export const exported = z.object({
  export_id: z.int(),
  state: z.enum(["making", "ready", "failed"]),
  created_ts: z.int(),
  created_by: z.string(),
  expires_ts: z.int().nullable(),
  records: z.int(),
  fetches: z
    .array(z.object({ fetched_ts: z.int(), fetched_by: z.string() }))
    .meta({ description: "Who fetched it, the newest first." }),
});

async function refuseUnknown(ctx: Context, userId: string): Promise<void> {
  if (!(await readStanding(ctx, userId))) throw matrixError("M_NOT_FOUND", "There is no such account.");
}

const begin = operation({
  id: "users.export",
  method: "POST",
  path: "/users/:userId/exports",
  summary: "Gathers everything that the server has of a person, for them",
  description:
    "A job. It has what they wrote where that was not encrypted, so only an owner may, and who did is in the audit log.",
  role: "owner",
  isOneTransaction: true,
  body: z.object({ reason: reasonSchema }),
  answer: z.object({ export_id: z.int() }),
  command: { name: "user export", arguments: ["userId"] },
  async handle({ params: { userId }, actor, audit, transact }, ctx) {
    await refuseUnknown(ctx, userId);
    const export_id = await transact(async (db) => {
      const id = await beginExport(ctx, db, { userId, by: actor.userId });
      audit({ target: userId, after: { export_id: id } });
      return id;
    });
    return { export_id };
  },
});

const list = operation({
  id: "users.exports",
  method: "GET",
  path: "/users/:userId/exports",
  summary: "Lists the exports of a person that are kept, the newest first",
  role: "auditor",
  answer: pageOf(exported),
  command: { name: "user exports", arguments: ["userId"] },
  async handle({ params: { userId } }, ctx) {
    await refuseUnknown(ctx, userId);
    return { items: await listExports(ctx, userId) };
  },
});

const fetch = operation({
  id: "users.fetch_export",
  method: "GET",
  path: "/users/:userId/exports/:exportId/archive",
  summary: "Gives an export as a zip archive",
  role: "owner",
  isAudited: true,
  answer: "stream",
  command: { name: "user fetch-export", arguments: ["userId", "exportId"], isStream: true },
  async handle({ params: { userId, exportId }, actor, audit }, ctx) {
    const { userId: by, device } = actor;
    const payload = await archiveOf(ctx, { exportId, of: { userId }, by, device });
    audit({ target: userId, after: { export_id: Number(exportId) } });
    return new Answer({ headers: archiveHeaders(exportId), payload });
  },
});

const erase = operation({
  id: "users.erase",
  method: "POST",
  path: "/users/:userId/erase",
  summary: "Ends an account for good and removes everything that the server has of the person",
  description: `A job, at whose end stands a proof of what is left. What they wrote goes out of every room; what is the state of a room now stays.
People who have it on their devices keep it.`,
  role: "owner",
  isOneTransaction: true,
  body: z.object({ reason: reasonSchema }),
  answer: z.object({ job_id: z.int() }),
  command: { name: "user erase", arguments: ["userId"] },
  async handle({ params: { userId }, actor, audit, transact }, ctx) {
    const role = await mayActOn(ctx, actor, userId);
    if (role !== undefined)
      throw matrixError("M_FORBIDDEN", `This account is an operator's ("${role}"). Take that away first.`);
    if ((await openHolds(ctx)).users.includes(userId))
      throw matrixError("M_FORBIDDEN", "A legal hold keeps what this person wrote: release it first.");
    if (await isOpened(ctx, userId))
      throw matrixError("M_FORBIDDEN", "Legal access to what the server has of this person is in force: end it first.");
    const job_id = await transact(async (db) => {
      const job = { kind: "person.erase", target: userId, parameters: { userId }, createdBy: actor.userId };
      const id = await createJob(ctx, { ...job, uniqueKey: `erase ${userId}` }, db);
      audit({ target: userId, after: { job_id: id } });
      return id;
    });
    return { job_id };
  },
});

const proof = z.object({
  job_id: z.int(),
  ended_ts: z.int(),
  created_by: z.string(),
  removed: z.record(z.string(), z.number()),
  left: z.record(z.string(), z.number()).meta({ description: "Records of each section that the server still has." }),
  is_held: z.boolean().meta({ description: "A legal hold keeps files of the person." }),
});

const readProof = operation({
  id: "users.erasures",
  method: "GET",
  path: "/users/:userId/erasures",
  summary: "Gives the proofs of erasures of a person: what was removed, and what is left",
  role: "auditor",
  answer: pageOf(proof),
  command: { name: "user erasures", arguments: ["userId"] },
  async handle({ params: { userId } }, ctx) {
    const rows = await ctx.db.console.query<{ job_id: number; ended_ts: number; created_by: string; proof: string }>(
      `select job_id, floor(extract(epoch from ended_at) * 1000)::bigint as ended_ts, created_by, proof
       from console.erasures where user_id = $1 order by job_id desc limit 50`,
      [userId],
    );
    return {
      items: rows.map(
        ({ proof: text, ...row }) => ({ ...(JSON.parse(text) as object), ...row }) as z.output<typeof proof>,
      ),
    };
  },
});

export const personOperations: readonly Operation[] = [begin, list, fetch, erase, readProof];
