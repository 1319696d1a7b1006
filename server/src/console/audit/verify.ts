/** Whether the chain of the audit log is what was written: entry by entry, in pieces, whatever its length. */
import { hash } from "node:crypto";
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import { auditColumns, type AuditRow, hashOf } from "./entries.ts";

export interface Head {
  position: number;
  /** In hexadecimal. */
  hash: string;
}

export interface Verified {
  /** The last entry up to which everything is right. */
  right: Head;
  /** The first that is wrong. */
  problem?: { position: number; message: string };
}

/** Before the first entry: `console.audit_head` as it was made. */
const ORIGIN: Head = { position: 0, hash: hash("sha256", "") };

export interface Verification {
  /** An end of the chain that somebody has kept elsewhere: what was cut off the end is found by it alone. */
  remembered?: Head | undefined;
  signal?: AbortSignal;
}

export async function verifyAudit(ctx: Context, { remembered, signal }: Verification): Promise<Verified> {
  const end = await ctx.db.console.one<Head>(`select "position", encode(hash, 'hex') as hash from console.audit_head`);
  if (!end) return { right: ORIGIN, problem: { position: 0, message: "The end of the chain is missing." } };
  let right = ORIGIN;
  while (right.position < end.position) {
    signal?.throwIfAborted();
    const rows = await batchBehind(ctx, right.position, end.position);
    for (const row of rows) {
      const message = problemOf(row, { before: right, remembered });
      if (message) return { right, problem: { position: Math.min(row.position, right.position + 1), message } };
      right = { position: row.position, hash: row.hash };
    }
    if (rows.length === 0) return { right, problem: { position: right.position + 1, message: "It is missing." } };
  }
  const cut = problemOfEnd(right, { end, remembered });
  return cut === undefined ? { right } : { right, problem: { position: right.position + 1, message: cut } };
}

function batchBehind(ctx: Context, behind: number, most: number): Promise<AuditRow[]> {
  return ctx.db.console.query<AuditRow>(
    `select ${auditColumns} from console.audit where "position" > $1 and "position" <= $2 order by "position" limit $3`,
    [behind, most, limits.auditBatch_entries],
  );
}

function problemOf(row: AuditRow, { before, remembered }: { before: Head; remembered: Head | undefined }) {
  if (row.position !== before.position + 1) return "It is missing.";
  if (row.previous !== before.hash) return "It does not continue the entry before it.";
  if (hashOf(row) !== row.hash) return "It is not what was written.";
  if (row.position === remembered?.position && row.hash !== remembered.hash)
    return "It is another than the remembered one.";
  return undefined;
}

function problemOfEnd(right: Head, { end, remembered }: { end: Head; remembered: Head | undefined }) {
  if (right.hash !== end.hash) return "The end of the chain is another than was written.";
  if (remembered && remembered.position > right.position)
    return `Entries up to ${remembered.position}, which was remembered, are cut off.`;
  return undefined;
}
