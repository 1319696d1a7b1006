/** How far the audit log was streamed, and which worker does it. One row; see 0012_audit_stream.sql. */
import type { Context } from "../../../context.ts";
import type { Db } from "../../../db/database.ts";
import { limits } from "../../../limits.ts";
import { auditColumns, type AuditRow } from "../entries.ts";

export interface Place {
  position: number;
  failures: number;
}

/** Takes the lease or keeps it; undefined while another worker has it, and during the pause after a failure. */
export function takePlace(db: Db, holder: string): Promise<Place | undefined> {
  return db.one<Place>(
    `update console.audit_stream set holder = $1, held_until = clock_timestamp() + $2 * interval '1 millisecond'
     where (holder is null or holder = $1 or held_until < clock_timestamp()) and (retry_at is null or retry_at <= clock_timestamp())
     returning "position", failures`,
    [holder, limits.auditStreamLease_ms],
  );
}

export async function leavePlace(db: Db, holder: string): Promise<void> {
  await db.change("update console.audit_stream set holder = null, held_until = null where holder = $1", [holder]);
}

/** The oldest entries behind a position. Positions have no gaps, and none is there before those below it are. */
export function entriesBehind(db: Db, position: number): Promise<AuditRow[]> {
  return db.query<AuditRow>(
    `select ${auditColumns} from console.audit where "position" > $1 order by "position" limit $2`,
    [position, limits.auditStream_entries],
  );
}

/** The other end has everything up to there. A worker that lost its lease meanwhile changes nothing. */
export async function movePlace(db: Db, holder: string, upTo: number): Promise<void> {
  await db.change(
    `update console.audit_stream set "position" = $2, sent_at = now(), failures = 0, failing_since = null, retry_at = null, error = null
     where holder = $1 and "position" < $2`,
    [holder, upTo],
  );
}

/** Tried again after 1 s, 2 s and so on, up to a minute. */
export async function failPlace(db: Db, holder: string, { failures, error }: { failures: number; error: string }) {
  const wait_ms = Math.min(limits.auditStreamRetryMost_ms, limits.auditStreamLook_ms * 2 ** Math.min(failures, 20));
  await db.change(
    `update console.audit_stream set failures = failures + 1, failing_since = coalesce(failing_since, now()), error = $2,
       retry_at = clock_timestamp() + $3 * interval '1 millisecond'
     where holder = $1`,
    [holder, error, wait_ms],
  );
}

export interface StreamState {
  position: number;
  end: number;
  sent_ts: number | null;
  failures: number;
  failing_since_ts: number | null;
  error: string | null;
}

const millis = (of: string) => `floor(extract(epoch from ${of}) * 1000)::bigint`;

export async function readStreamState(ctx: Context): Promise<StreamState> {
  const row = await ctx.db.console.one<StreamState>(
    `select s."position", h."position" as "end", ${millis("s.sent_at")} as sent_ts, s.failures,
       ${millis("s.failing_since")} as failing_since_ts, s.error
     from console.audit_stream s, console.audit_head h`,
  );
  if (!row) throw new Error("console.audit_stream has no row");
  return row;
}
