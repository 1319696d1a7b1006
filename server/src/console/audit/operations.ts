/** What operators ask of the audit log. Nobody can change it. */
import { Readable } from "node:stream";
import { z } from "zod";
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import { Answer } from "../../http.ts";
import { limits } from "../../limits.ts";
import { cursorOf, readCursor } from "../cursor.ts";
import { operation, pageOf, pageQuery } from "../operation.ts";
import { outcomes } from "./append.ts";
import { csvLine } from "./csv.ts";
import { type AuditFilter, type AuditRow, entrySchema, listEntries, readEntry, shown } from "./entries.ts";
import { showAuditStream } from "./stream/operation.ts";
import { verifyAudit } from "./verify.ts";

const filters = {
  actor: z.string().max(limits.identifier_bytes).optional(),
  action: z
    .string()
    .max(limits.identifier_bytes)
    .optional()
    .meta({ description: "users.suspend, or users for all of them." }),
  target: z.string().max(limits.identifier_bytes).optional().meta({
    description: "Such as a user id: what was done to a device of theirs is among it.",
  }),
  outcome: z
    .enum(outcomes)
    .optional()
    .meta({ description: "begun: acts of which no end is known, since the process ended before they did." }),
  since_ts: z.coerce.number().int().optional(),
  until_ts: z.coerce.number().int().optional(),
};
const { limit, from } = pageQuery;

const columns = ["position", "time_ts", "actor", "action", "target", "outcome", "reason"];

const listAudit = operation({
  id: "audit.list",
  method: "GET",
  path: "/audit",
  summary: "Lists what operators did, the newest first",
  role: "auditor",
  query: z.object({ limit, from, ...filters }),
  answer: pageOf(entrySchema),
  command: { name: "audit list", columns },
  async handle({ query: { limit, from, ...filter } }, ctx) {
    const below = from === undefined ? null : readCursor(from, z.tuple([z.int()]))[0];
    const rows = await listEntries(ctx, filter, { below, limit: limit + 1 });
    const items = rows.slice(0, limit).map(shown);
    const last = rows.length > limit ? items.at(-1) : undefined;
    return { items, ...(last ? { next: cursorOf([last.position]) } : {}) };
  },
});

const verify = operation({
  id: "audit.verify",
  method: "GET",
  path: "/audit/verify",
  summary: "Checks the hash chain of the audit log from its first entry",
  description:
    "With `position` and `hash` of an entry that was written down elsewhere (the log of the processes has each), entries that were cut off the end are found too.",
  role: "auditor",
  query: z.object({
    position: z.coerce.number().int().min(0).optional(),
    hash: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
  }),
  answer: z.object({
    ok: z.boolean(),
    verified_to: z.int().meta({ description: "Everything up to this entry is right." }),
    hash: z.string().meta({ description: "Of that entry: write both down, to give them to the next check." }),
    problem: z.object({ position: z.int(), message: z.string() }).nullable(),
  }),
  command: { name: "audit verify" },
  async handle({ query: { position, hash }, signal }, ctx) {
    if ((position === undefined) !== (hash === undefined))
      throw matrixError("M_MISSING_PARAM", "Give both the position and the hash that were remembered.");
    const remembered = position === undefined || hash === undefined ? undefined : { position, hash };
    const { right, problem } = await verifyAudit(ctx, { remembered, signal });
    return { ok: !problem, verified_to: right.position, hash: right.hash, problem: problem ?? null };
  },
});

const readAudit = operation({
  id: "audit.read",
  method: "GET",
  path: "/audit/:position",
  summary: "Shows one entry of the audit log",
  role: "auditor",
  answer: entrySchema,
  command: { name: "audit show", arguments: ["position"] },
  async handle({ params }, ctx) {
    const position = Number(params.position);
    const row = Number.isSafeInteger(position) ? await readEntry(ctx, position) : undefined;
    if (!row) throw matrixError("M_NOT_FOUND", "There is no such entry.");
    return shown(row);
  },
});

const formats = {
  csv: { type: "text/csv; charset=utf-8", first: csvLine(Object.keys(entrySchema.shape)), line: csvOf },
  jsonl: { type: "application/x-ndjson", first: "", line: (row: AuditRow) => `${JSON.stringify(shown(row))}\n` },
};

function csvOf(row: AuditRow): string {
  const entry: Record<string, unknown> = shown(row);
  return csvLine(Object.keys(entrySchema.shape).map((name) => entry[name]));
}

const exportAudit = operation({
  id: "audit.export",
  method: "GET",
  path: "/audit/export",
  summary: "Gives the whole audit log, or what the filters leave, as CSV or JSON lines, the newest first",
  role: "auditor",
  isAudited: true,
  query: z.object({ format: z.enum(["csv", "jsonl"]).default("jsonl"), ...filters }),
  answer: "stream",
  command: { name: "audit export", isStream: true },
  async handle({ query: { format, ...filter }, audit, signal }, ctx) {
    audit({ after: { format, ...filter } });
    const { type, first, line } = formats[format];
    const pieces = async function* () {
      if (first) yield first;
      for await (const rows of allEntries(ctx, filter, signal)) yield rows.map(line).join("");
    };
    const headers = { "content-type": type, "content-disposition": `attachment; filename="audit.${format}"` };
    return new Answer({ headers, payload: Readable.from(pieces(), { objectMode: false }) });
  },
});

async function* allEntries(ctx: Context, filter: AuditFilter, signal: AbortSignal): AsyncGenerator<AuditRow[]> {
  let below: number | null = null;
  for (;;) {
    signal.throwIfAborted();
    const rows: AuditRow[] = await listEntries(ctx, filter, {
      below,
      limit: limits.auditBatch_entries,
      isWhole: true,
    });
    if (rows.length > 0) yield rows;
    if (rows.length < limits.auditBatch_entries) return;
    below = rows.at(-1)?.position ?? 0;
  }
}

export const auditOperations = [listAudit, verify, exportAudit, showAuditStream, readAudit];
