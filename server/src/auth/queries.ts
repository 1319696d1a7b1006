/** What other domains may ask about accounts and devices. */
import type { Context } from "../context.ts";

/** Whether the name is taken; a deactivated account exists too. */
export async function accountExists(ctx: Context, userId: string): Promise<boolean> {
  return (await ctx.db.auth.one("select 1 from auth.accounts where user_id = $1", [userId])) !== undefined;
}

/** Whether the account exists and is not deactivated. */
export async function isActive(ctx: Context, userId: string): Promise<boolean> {
  const sql = "select 1 from auth.accounts where user_id = $1 and deactivated_at is null";
  return (await ctx.db.auth.one(sql, [userId])) !== undefined;
}

/** Of those of the people who have accounts, whether they may be found: not who is deactivated, locked, suspended or a guest. */
export async function listableAmong(ctx: Context, userIds: readonly string[]): Promise<ReadonlyMap<string, boolean>> {
  if (userIds.length === 0) return new Map();
  const rows = await ctx.db.auth.query<{ userId: string; isListable: boolean }>(
    `select user_id as "userId", deactivated_at is null and suspended_at is null and read_only_at is null and not is_guest as "isListable"
     from auth.accounts where user_id = any($1)`,
    [userIds],
  );
  return new Map(rows.map(({ userId, isListable }) => [userId, isListable]));
}

export async function isDeactivated(ctx: Context, userId: string): Promise<boolean> {
  const sql = "select 1 from auth.accounts where user_id = $1 and deactivated_at is not null";
  return (await ctx.db.auth.one(sql, [userId])) !== undefined;
}

export async function isAdmin(ctx: Context, userId: string): Promise<boolean> {
  const sql = "select 1 from auth.accounts where user_id = $1 and is_admin";
  return (await ctx.db.auth.one(sql, [userId])) !== undefined;
}

/** Those of them who asked, when they deactivated the account, that those who join rooms later do not see what they wrote. */
export async function erasedAmong(ctx: Context, userIds: readonly string[]): Promise<ReadonlySet<string>> {
  const sql = `select user_id as "userId" from auth.accounts where user_id = any($1) and erased`;
  return new Set((await ctx.db.auth.query<{ userId: string }>(sql, [userIds])).map(({ userId }) => userId));
}

export interface DeviceRow {
  sessionId: number;
  deviceId: string;
  displayName: string | null;
  /** Some minutes old at most. */
  lastSeen_ms: number;
  lastSeenAddress: string | null;
}

const DEVICE_COLUMNS = `session_id as "sessionId", device_id as "deviceId", display_name as "displayName",
  floor(extract(epoch from last_seen_at) * 1000)::bigint as "lastSeen_ms", last_seen_address as "lastSeenAddress"`;

/** The signed-in devices of one person, the oldest first. */
export function listDevices(ctx: Context, userId: string): Promise<DeviceRow[]> {
  return ctx.db.auth.query<DeviceRow>(
    `select ${DEVICE_COLUMNS} from auth.sessions where user_id = $1 order by session_id`,
    [userId],
  );
}

export function readDevice(ctx: Context, userId: string, deviceId: string): Promise<DeviceRow | undefined> {
  return ctx.db.auth.one<DeviceRow>(
    `select ${DEVICE_COLUMNS} from auth.sessions where user_id = $1 and device_id = $2`,
    [userId, deviceId],
  );
}

export interface DeviceName {
  userId: string;
  deviceId: string;
  displayName: string | null;
}

/** Every signed-in device of these people. */
export function deviceNames(ctx: Context, userIds: readonly string[]): Promise<DeviceName[]> {
  return ctx.db.auth.query<DeviceName>(
    `select user_id as "userId", device_id as "deviceId", display_name as "displayName"
     from auth.sessions where user_id = any ($1) order by session_id`,
    [userIds],
  );
}
