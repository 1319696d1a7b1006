/**
 * Accounts and devices in the graph. The log says whose devices changed, not all that did: an account that was made, or when a device
 * was seen last, stands with the accounts alone. So all of them are looked through now and then as well.
 */
import {
  accountsForGraph,
  accountsOf,
  type GraphAccount,
  recentlySeen,
  sessionsForGraph,
} from "../auth/for-the-graph.ts";
import { ownersOfBots } from "../bots/queries.ts";
import type { Context } from "../context.ts";
import { operatorsForGraph } from "../console/operators.ts";
import { keyedDevices } from "../keys/for-the-graph.ts";
import { limits } from "../limits.ts";
import type { Person } from "./model.ts";
import type { Transaction } from "../db/database.ts";

const PUT_PEOPLE = `insert into graph.people as p (user_id, is_admin, status, kind, created_ms, role, role_by, role_ms)
  select r."userId", r."isAdmin", r.status, r.kind, r."created_ms", r.role, r."roleBy", r."role_ms"
  from json_to_recordset($1::json)
    as r("userId" text, "isAdmin" boolean, status text, kind text, "created_ms" bigint, role text, "roleBy" text, "role_ms" bigint)
  on conflict (user_id) do update
  set is_admin = excluded.is_admin, status = excluded.status, kind = excluded.kind, created_ms = excluded.created_ms,
    role = excluded.role, role_by = excluded.role_by, role_ms = excluded.role_ms
  where (p.is_admin, p.status, p.kind, p.created_ms, p.role, p.role_by, p.role_ms)
    is distinct from (excluded.is_admin, excluded.status, excluded.kind, excluded.created_ms, excluded.role, excluded.role_by, excluded.role_ms)`;

const PUT_DEVICES = `insert into graph.devices as d (user_id, device_id, name, created_ms, last_seen_ms, is_verified, has_keys, ended_ms)
  select r."userId", r."deviceId", r.name, r."created_ms", r."lastSeen_ms", r."isVerified", r."hasKeys", null
  from json_to_recordset($1::json)
    as r("userId" text, "deviceId" text, name text, "created_ms" bigint, "lastSeen_ms" bigint, "isVerified" boolean, "hasKeys" boolean)
  on conflict (user_id, device_id) do update
  set name = excluded.name, created_ms = excluded.created_ms, last_seen_ms = excluded.last_seen_ms,
    is_verified = excluded.is_verified, has_keys = excluded.has_keys, ended_ms = null
  where (d.name, d.created_ms, d.last_seen_ms, d.is_verified, d.has_keys, d.ended_ms)
    is distinct from (excluded.name, excluded.created_ms, excluded.last_seen_ms, excluded.is_verified, excluded.has_keys, null::bigint)`;

/** What was signed out is kept: somebody may ask what it had reached. */
const END_DEVICES = `update graph.devices d set ended_ms = $3
  where d.user_id = any ($1) and d.ended_ms is null
    and not (d.user_id || ' ' || d.device_id) = any ($2::text[])`;

/** Looks at these people's devices again. */
export async function putDevices(ctx: Context, db: Transaction, userIds: readonly string[]): Promise<void> {
  if (userIds.length === 0) return;
  const [sessions, keyed] = await Promise.all([sessionsForGraph(ctx, userIds), keyedDevices(ctx, userIds)]);
  const keys = new Map(keyed.map(({ userId, deviceId, isVerified }) => [`${userId} ${deviceId}`, isVerified]));
  const devices = sessions.map((session) => {
    const isVerified = keys.get(`${session.userId} ${session.deviceId}`);
    return { ...session, isVerified: isVerified ?? false, hasKeys: isVerified !== undefined };
  });
  await db.query("insert into graph.people (user_id) select unnest($1::text[]) on conflict do nothing", [userIds]);
  if (devices.length > 0) await db.query(PUT_DEVICES, [JSON.stringify(devices)]);
  const there = sessions.map(({ userId, deviceId }) => `${userId} ${deviceId}`);
  await db.query(END_DEVICES, [userIds, there, ctx.seams.now_ms()]);
}

/** Those who are new, or were seen since then. */
export async function putRecent(ctx: Context, since_ms: number): Promise<void> {
  const userIds = await recentlySeen(ctx, since_ms);
  for (let from = 0; from < userIds.length; from += limits.graphAccounts) {
    await putThese(ctx, userIds.slice(from, from + limits.graphAccounts));
  }
}

/** Has the graph know now what these people are: the worker would come to it within a minute. */
export async function putThese(ctx: Context, userIds: readonly string[]): Promise<void> {
  await putRead(ctx, () => accountsOf(ctx, userIds));
}

/** One after the other, each from reading on: what was read first is never written last. */
async function putRead(ctx: Context, read: () => Promise<GraphAccount[]>): Promise<GraphAccount[]> {
  return ctx.db.graph.transaction(async (db) => {
    await db.query("select pg_advisory_xact_lock(hashtextextended('parley: people of the graph', 0))");
    const accounts = await read();
    await put(ctx, db, accounts);
    return accounts;
  });
}

async function put(ctx: Context, db: Transaction, accounts: readonly GraphAccount[]): Promise<void> {
  const userIds = accounts.map(({ userId }) => userId);
  const [kindOf, roles] = await Promise.all([kindsOf(ctx, userIds), operatorsForGraph(ctx, userIds)]);
  const people = accounts.map((account) => {
    // An administrator of whom nothing is written down is an owner.
    const own = roles.get(account.userId) ?? { role: account.isAdmin ? "owner" : null };
    return { ...account, ...own, kind: kindOf(account.userId) };
  });
  await db.query(PUT_PEOPLE, [JSON.stringify(people)]);
  await putDevices(ctx, db, userIds);
}

/** A name that an application service keeps to itself is no person's. */
async function kindsOf(ctx: Context, userIds: readonly string[]): Promise<(userId: string) => Person["kind"]> {
  const bots = await ownersOfBots(ctx, userIds);
  const services = ctx.services.all();
  return (userId) => {
    if (bots.has(userId)) return "bot";
    return services.some((service) => service.user(userId) === "exclusive") ? "service" : "person";
  };
}

/** Whom a service acts as without more has no account until it is registered, and is in rooms all the same. */
export async function markSenders(ctx: Context): Promise<void> {
  const senders = ctx.services.all().map(({ sender }) => sender);
  if (senders.length > 0)
    await ctx.db.graph.query(
      "update graph.people set kind = 'service' where user_id = any ($1) and kind <> 'service'",
      [senders],
    );
}

/** Looks through all accounts and their devices, a page at a time, each in a transaction of its own. */
export async function putAccounts(ctx: Context, isHeld: () => boolean): Promise<void> {
  for (let after = ""; isHeld();) {
    const from = after;
    const accounts = await putRead(ctx, () => accountsForGraph(ctx, from, limits.graphAccounts));
    const last = accounts.at(-1);
    if (!last) break;
    after = last.userId;
  }
}
