/**
 * Makes the accounts of an import. A row is noted as begun before its account is made, and only where there was none: a worker that
 * dies in between leaves a row of which the next one knows that the account is of this import.
 */
import { z } from "zod";
import { changeProfile } from "../account/profile.ts";
import { createAccount } from "../auth/for-operators-acts.ts";
import { accountExists } from "../auth/queries.ts";
import { newUserId } from "../auth/user-names.ts";
import type { Context } from "../context.ts";
import { MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Job, Step } from "../worker/job.ts";
import type { PersonRow } from "./people-sources.ts";
import { noteRow, openRows, type OpenRow } from "./queries.ts";

const parameters = z.object({ importId: z.number() });

export async function importPeopleStep(ctx: Context, job: Job): Promise<Step> {
  const { importId } = parameters.parse(job.parameters);
  const rows = await openRows(ctx, importId, limits.importStep_rows);
  for (const row of rows) await importPerson(ctx, importId, row);
  const done = (job.progress["rows_done"] ?? 0) + rows.length;
  return { cursor: null, progress: { ...job.progress, rows_done: done }, isDone: rows.length === 0 };
}

async function importPerson(ctx: Context, importId: number, { row, data, outcome }: OpenRow): Promise<void> {
  const { username, displayName } = JSON.parse(data) as PersonRow;
  const at = { importId, row };
  try {
    const userId = newUserId(ctx, username);
    const isThere = await accountExists(ctx, userId);
    if (outcome === null && isThere) return await noteRow(ctx, at, { outcome: "exists", result: userId });
    await noteRow(ctx, at, { outcome: "creating", result: userId });
    if (!isThere) await createAccount(ctx, { username });
    if (displayName !== undefined) await changeProfile(ctx, userId, { field: "displayname", value: displayName });
    await noteRow(ctx, at, { outcome: "created", result: userId });
  } catch (thrown) {
    if (!(thrown instanceof MatrixError) || thrown.errcode === "IO_PARLEY_UNAVAILABLE") throw thrown;
    await noteRow(ctx, at, { outcome: "failed", detail: thrown.message });
  }
}
