/** Entries of the audit log as they are stored, and their way to the wire. */
import { hash } from "node:crypto";
import { z } from "zod";
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import { outcomes } from "./append.ts";

export interface AuditRow {
  position: number;
  time_us: number;
  actor: string;
  via: string;
  address: string;
  device: string | null;
  action: string;
  target: string | null;
  reason: string | null;
  before: string | null;
  after: string | null;
  outcome: string;
  error: string | null;
  /** The entry that said that it has begun. */
  begun: number | null;
  /** Both in hexadecimal. */
  previous: string;
  hash: string;
}

export const auditColumns = `"position", time_us, actor, via, address, device, action, target, reason, "before", "after", outcome, error, begun,
  encode(previous_hash, 'hex') as previous, encode(hash, 'hex') as hash`;

/** What `console.audit_hash` of 0009_begun.sql makes: the SHA-256 of a JSON array of texts. */
export function hashOf(row: Omit<AuditRow, "hash">): string {
  const { previous, position, time_us, actor, via, address, device, action, target, reason } = row;
  const values = [previous, `${position}`, `${time_us}`, actor, via, address, device, action, target, reason];
  const begun = row.begun === null ? [] : [`${row.begun}`];
  return hash("sha256", JSON.stringify([...values, row.before, row.after, row.outcome, row.error, ...begun]));
}

/** One of these, or what a newer release has written: while releases follow each other, both read the log. */
function knownOrNewer<const T extends readonly string[]>(known: T) {
  return z.union([z.enum(known), z.string()]);
}

export const entrySchema = z.object({
  position: z.int(),
  time_ts: z.int().meta({ description: "Milliseconds since 1970." }),
  actor: z.string(),
  via: knownOrNewer(["browser", "token", "shell", "job", "scim"]),
  address: z.string(),
  device: z.string().nullable(),
  action: z.string().meta({ description: "The id of the operation." }),
  target: z.string().nullable(),
  reason: z.string().nullable(),
  before: z.unknown(),
  after: z.unknown(),
  outcome: knownOrNewer(outcomes).meta({
    description: "begun: the first of two entries. Where the other is missing, the process ended in between.",
  }),
  error: z.string().nullable().meta({ description: "The errcode, where it was not done." }),
  begun: z.int().nullable().meta({ description: "The entry that said that it has begun, where one did." }),
  hash: z.string().meta({ description: "SHA-256, in hexadecimal, of the entry and the hash before it." }),
});

export function shown(row: AuditRow): z.output<typeof entrySchema> {
  const { previous: _, time_us, before, after, ...rest } = row;
  return {
    ...rest,
    time_ts: Math.floor(time_us / 1_000),
    before: valueOf(before),
    after: valueOf(after),
  };
}

/** What somebody has put there by other ways than ours need not be JSON. */
function valueOf(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export interface AuditFilter {
  actor?: string | undefined;
  action?: string | undefined;
  target?: string | undefined;
  outcome?: string | undefined;
  since_ts?: number | undefined;
  until_ts?: number | undefined;
}

interface Stretch {
  below: number | null;
  limit: number;
  /** Also the beginnings of acts whose ends are there. */
  isWhole?: boolean;
}

/**
 * The newest entries below `below` (null: all) that the filter lets through, the newest first. What was done to a device, whose
 * target is its person and its id, was done to the person too. Of an act that began and ended its end
 * says everything: its beginning is left out, unless the whole is wanted.
 */
export function listEntries(
  ctx: Context,
  filter: AuditFilter,
  { below, limit, isWhole = false }: Stretch,
): Promise<AuditRow[]> {
  const { actor, action, target, outcome, since_ts, until_ts } = filter;
  return ctx.db.console.query<AuditRow>(
    `select ${auditColumns} from console.audit
     where ($1::bigint is null or "position" < $1) and ($2::text is null or actor = $2)
       and ($3::text is null or action = $3 or starts_with(action, $3 || '.')) and ($4::text is null or target = $4 or starts_with(target, $4 || ' '))
       and ($9 or outcome <> 'begun' or not exists (select from console.audit its_end where its_end.begun = audit."position"))
       and ($5::text is null or outcome = $5) and ($6::bigint is null or time_us >= $6) and ($7::bigint is null or time_us < $7)
     order by "position" desc limit $8`,
    [
      below,
      actor ?? null,
      action ?? null,
      target ?? null,
      outcome ?? null,
      since_ts === undefined ? null : since_ts * 1_000,
      until_ts === undefined ? null : until_ts * 1_000,
      limit,
      isWhole,
    ],
  );
}

export function readEntry(ctx: Context, position: number): Promise<AuditRow | undefined> {
  return ctx.db.console.one<AuditRow>(`select ${auditColumns} from console.audit where "position" = $1`, [position]);
}

/** How many acts of the last week began, so long ago that they would be done, and have no end. */
export async function countOpenActs(ctx: Context): Promise<number> {
  const row = await ctx.db.console.one<{ count: number }>(
    `select count(*) from console.audit
     where outcome = 'begun' and time_us > (extract(epoch from now()) * 1000000)::bigint - 7 * 86400000000
       and time_us < (extract(epoch from now()) * 1000000)::bigint - $1::bigint * 1000
       and not exists (select from console.audit its_end where its_end.begun = audit."position")`,
    [limits.auditOpen_ms],
  );
  return row?.count ?? 0;
}
