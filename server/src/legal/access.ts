/**
 * Legal access: a named operator may export what the server has stored of one person or one room, for a case and for a limited time.
 * What is encrypted stays so: the server has no keys. A grant is *in force* until its end comes, or an owner ends it before.
 */
import type { Context } from "../context.ts";
import type { Db } from "../db/database.ts";
import { matrixError } from "../errors.ts";

type Console = Omit<Db, "transaction">;

export interface LegalAccess {
  access_id: number;
  room_id: string | null;
  user_id: string | null;
  holder: string;
  case_reference: string;
  reason: string;
  granted_ts: number;
  granted_by: string;
  ends_ts: number;
  ended_ts: number | null;
  ended_by: string | null;
  in_force: boolean;
}

const millis = (column: string) => `floor(extract(epoch from ${column}) * 1000)::bigint`;
const IN_FORCE = "ended_at is null and ends_at > now()";
const COLUMNS = `access_id, room_id, user_id, holder, case_reference, reason, ${millis("granted_at")} as granted_ts, granted_by,
  ${millis("ends_at")} as ends_ts, ${millis("ended_at")} as ended_ts, ended_by, ${IN_FORCE} as in_force`;

/** The newest first: those in force, or all that there ever were. */
export function listAccess(ctx: Context, { ended }: { ended: boolean }): Promise<LegalAccess[]> {
  return ctx.db.console.query<LegalAccess>(
    `select ${COLUMNS} from console.legal_access where $1 or ${IN_FORCE} order by access_id desc limit 500`,
    [ended],
  );
}

export interface Grant {
  roomId: string | undefined;
  userId: string | undefined;
  holder: string;
  caseReference: string;
  reason: string;
  by: string;
  ends_ms: number;
}

/** In a transaction of the schema console, with its entry in the audit log. */
export async function grantAccess(db: Console, grant: Grant): Promise<LegalAccess> {
  const { roomId = null, userId = null, holder, caseReference, reason, by, ends_ms } = grant;
  const row = await db.one<LegalAccess>(
    `insert into console.legal_access (room_id, user_id, holder, case_reference, reason, granted_by, ends_at)
     values ($1, $2, $3, $4, $5, $6, to_timestamp($7::double precision / 1000)) returning ${COLUMNS}`,
    [roomId, userId, holder, caseReference, reason, by, ends_ms],
  );
  return row as LegalAccess;
}

/** Undefined where none of that number is in force. */
export function endAccess(db: Console, accessId: number, by: string): Promise<LegalAccess | undefined> {
  return db.one<LegalAccess>(
    `update console.legal_access set ended_at = now(), ended_by = $2 where access_id = $1 and ${IN_FORCE} returning ${COLUMNS}`,
    [accessId, by],
  );
}

/** Undefined where there never was one of that number. */
export function readAccess(ctx: Context, accessId: number): Promise<LegalAccess | undefined> {
  return ctx.db.console.one<LegalAccess>(`select ${COLUMNS} from console.legal_access where access_id = $1`, [
    accessId,
  ]);
}

/** The grant that this operator uses. Throws M_NOT_FOUND, or M_FORBIDDEN for who is not its holder and when it is over. */
export async function heldAccess(ctx: Context, accessId: number, userId: string): Promise<LegalAccess> {
  const access = await readAccess(ctx, accessId);
  if (!access) throw matrixError("M_NOT_FOUND", "There is no legal access with this number.");
  if (access.holder !== userId) throw matrixError("M_FORBIDDEN", `This legal access is ${access.holder}'s alone.`);
  if (!access.in_force) throw matrixError("M_FORBIDDEN", "This legal access is over: an owner can grant another.");
  return access;
}

/** Whether somebody has legal access to what the server has of this person now. */
export async function isOpened(ctx: Context, userId: string): Promise<boolean> {
  const sql = `select 1 from console.legal_access where user_id = $1 and ${IN_FORCE} limit 1`;
  return (await ctx.db.console.one(sql, [userId])) !== undefined;
}
