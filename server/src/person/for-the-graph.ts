/** What the access graph knows of exports, of who fetched them, and of legal access. Times are milliseconds since 1970. */
import type { Context } from "../context.ts";
import { ts } from "./section.ts";

export interface GraphExport {
  exportId: number;
  userId: string | null;
  roomId: string | null;
  madeBy: string;
  made_ms: number;
  until_ms: number;
  accessId: number | null;
}

export interface GraphFetch {
  fetchId: number;
  exportId: number;
  userId: string;
  deviceId: string | null;
  fetched_ms: number;
}

export interface GraphLegalAccess {
  accessId: number;
  userId: string | null;
  roomId: string | null;
  holder: string;
  caseReference: string;
  grantedBy: string;
  granted_ms: number;
  ends_ms: number;
}

/** Of each kind the first behind a number, in the order of their numbers. */
export interface Behind {
  after: number;
  limit: number;
  /** Only what changed since then. */
  since_ms: number;
}

const SINCE = "to_timestamp($3::double precision / 1000)";

/** Those that are ready. Of one that was made under legal access, the end of that may come first. */
export function exportsForGraph(ctx: Context, { after, limit, since_ms }: Behind): Promise<GraphExport[]> {
  return ctx.db.console.query<GraphExport>(
    `select e.job_id as "exportId", e.user_id as "userId", e.room_id as "roomId", e.created_by as "madeBy", ${ts("e.ready_at")} as made_ms,
       ${ts("least(e.expires_at, a.ends_at, a.ended_at)")} as until_ms, e.access_id as "accessId"
     from console.exports e left join console.legal_access a using (access_id)
     where e.job_id > $1 and e.ready_at is not null and (e.ready_at >= ${SINCE} or a.ended_at >= ${SINCE}) order by e.job_id limit $2`,
    [after, limit, since_ms],
  );
}

/** The numbers of all that can still be fetched. */
export async function keptExports(ctx: Context): Promise<number[]> {
  const rows = await ctx.db.console.query<{ id: number }>(
    "select job_id as id from console.exports where ready_at is not null",
  );
  return rows.map(({ id }) => id);
}

export function fetchesForGraph(ctx: Context, { after, limit, since_ms }: Behind): Promise<GraphFetch[]> {
  return ctx.db.console.query<GraphFetch>(
    `select fetch_id as "fetchId", job_id as "exportId", fetched_by as "userId", device_id as "deviceId", ${ts("fetched_at")} as fetched_ms
     from console.export_fetches where fetch_id > $1 and fetched_at >= ${SINCE} order by fetch_id limit $2`,
    [after, limit, since_ms],
  );
}

export function legalAccessForGraph(ctx: Context, { after, limit, since_ms }: Behind): Promise<GraphLegalAccess[]> {
  return ctx.db.console.query<GraphLegalAccess>(
    `select access_id as "accessId", user_id as "userId", room_id as "roomId", holder, case_reference as "caseReference",
       granted_by as "grantedBy", ${ts("granted_at")} as granted_ms, ${ts("least(ends_at, ended_at)")} as ends_ms
     from console.legal_access where access_id > $1 and (granted_at >= ${SINCE} or ended_at >= ${SINCE}) order by access_id limit $2`,
    [after, limit, since_ms],
  );
}
