/** What the access graph knows of accounts and signed-in devices. */
import type { Context } from "../context.ts";

export interface GraphAccount {
  userId: string;
  isAdmin: boolean;
  status: "active" | "suspended" | "deactivated";
  created_ms: number;
}

const ACCOUNT = `user_id as "userId", is_admin as "isAdmin", floor(extract(epoch from created_at) * 1000)::bigint as "created_ms",
  case when deactivated_at is not null then 'deactivated' when suspended_at is not null then 'suspended' else 'active' end as status`;

/** Accounts in the order of their names, behind `after`. */
export function accountsForGraph(ctx: Context, after: string, limit: number): Promise<GraphAccount[]> {
  return ctx.db.auth.query<GraphAccount>(
    `select ${ACCOUNT} from auth.accounts where user_id > $1 order by user_id limit $2`,
    [after, limit],
  );
}

export interface GraphSession {
  userId: string;
  deviceId: string;
  name: string | null;
  created_ms: number;
  lastSeen_ms: number;
}

/** Every signed-in device of these people. */
export function sessionsForGraph(ctx: Context, userIds: readonly string[]): Promise<GraphSession[]> {
  return ctx.db.auth.query<GraphSession>(
    `select user_id as "userId", device_id as "deviceId", display_name as name,
       floor(extract(epoch from created_at) * 1000)::bigint as "created_ms",
       floor(extract(epoch from last_seen_at) * 1000)::bigint as "lastSeen_ms"
     from auth.sessions where user_id = any ($1)`,
    [userIds],
  );
}

/** Who has an account, was suspended or deactivated, or was seen on a device, since then. A little more is told than is new: what is seen is written in batches. */
export async function recentlySeen(ctx: Context, since_ms: number): Promise<string[]> {
  const rows = await ctx.db.auth.query<{ userId: string }>(
    `select user_id as "userId" from auth.sessions where last_seen_at > to_timestamp($1::double precision / 1000)
     union select user_id from auth.accounts
       where greatest(created_at, suspended_at, deactivated_at) > to_timestamp($1::double precision / 1000)`,
    [since_ms],
  );
  return rows.map(({ userId }) => userId);
}

/** The accounts of these people. */
export function accountsOf(ctx: Context, userIds: readonly string[]): Promise<GraphAccount[]> {
  return ctx.db.auth.query<GraphAccount>(`select ${ACCOUNT} from auth.accounts where user_id = any ($1)`, [userIds]);
}
