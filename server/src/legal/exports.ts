/** Exports that are made under legal access: kept as those of people are, and apart from them. */
import type { Context } from "../context.ts";
import type { Transaction } from "../db/database.ts";
import { limits } from "../limits.ts";
import { type Export, LIST_EXPORTS } from "../person/exports.ts";
import { createJob } from "../worker/jobs.ts";
import type { LegalAccess } from "./access.ts";

/** The newest first. */
export function legalExports(ctx: Context, accessId: number): Promise<Export[]> {
  const sql = `${LIST_EXPORTS} where e.access_id = $1 order by e.job_id desc limit $2`;
  return ctx.db.console.query<Export>(sql, [accessId, limits.exports]);
}

/**
 * Begins one, in a transaction of the schema console. Older ones beyond `limits.exports` go. Throws M_LIMIT_EXCEEDED while another one
 * of the same access is made.
 */
export async function beginLegalExport(
  ctx: Context,
  db: Transaction,
  { access_id, holder, room_id, user_id }: LegalAccess,
): Promise<number> {
  const job = {
    kind: "legal.export",
    target: (room_id ?? user_id) as string,
    parameters: { accessId: access_id },
    createdBy: holder,
    uniqueKey: `legal export ${access_id}`,
  };
  const jobId = await createJob(ctx, job, db);
  await db.query(
    "insert into console.exports (job_id, user_id, room_id, access_id, created_by) values ($1, $2, $3, $4, $5)",
    [jobId, user_id, room_id, access_id, holder],
  );
  await db.query(
    `delete from console.exports where job_id in (
       select job_id from console.exports where access_id = $1 order by job_id desc offset $2)`,
    [access_id, limits.exports],
  );
  return jobId;
}
