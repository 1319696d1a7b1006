/** What is kept of an import: its rows, and what became of each. */
import type { Context } from "../context.ts";
import type { Db } from "../db/database.ts";

export type Kind = "people" | "channels";
export type Outcome = "creating" | "created" | "exists" | "failed";

/** Writes an import and its rows down; gives its number. */
export async function insertImport(
  db: Omit<Db, "transaction">,
  { kind, by, rows }: { kind: Kind; by: string; rows: readonly { row: number }[] },
): Promise<number> {
  const made = await db.one<{ id: number }>(
    "insert into console.imports (kind, created_by) values ($1, $2) returning import_id as id",
    [kind, by],
  );
  const importId = made?.id as number;
  await db.change(
    "insert into console.import_rows (import_id, row, data) select $1, r.row, r.data from unnest($2::int[], $3::text[]) r(row, data)",
    [importId, rows.map(({ row }) => row), rows.map((row) => JSON.stringify(row))],
  );
  return importId;
}

/** Says which job works on it. */
export async function setJob(db: Omit<Db, "transaction">, importId: number, jobId: number): Promise<void> {
  await db.change("update console.imports set job_id = $2 where import_id = $1", [importId, jobId]);
}

export interface OpenRow {
  row: number;
  data: string;
  outcome: "creating" | null;
}

/** The next rows that nothing has become of yet. */
export function openRows(ctx: Context, importId: number, limit: number): Promise<OpenRow[]> {
  return ctx.db.console.query<OpenRow>(
    `select row, data, outcome from console.import_rows
     where import_id = $1 and (outcome is null or outcome = 'creating') order by row limit $2`,
    [importId, limit],
  );
}

export async function noteRow(
  ctx: Context,
  at: { importId: number; row: number },
  { outcome, result, detail }: { outcome: Outcome; result?: string; detail?: string },
): Promise<void> {
  await ctx.db.console.change(
    "update console.import_rows set outcome = $3, result = coalesce($4, result), detail = $5 where import_id = $1 and row = $2",
    [at.importId, at.row, outcome, result ?? null, detail ?? null],
  );
}
