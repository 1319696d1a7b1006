/** Who is an operator. An administrator of whom nothing is written down is an owner: so the first one needs no other. */
import { listAdmins, readStanding, type Standing } from "../auth/for-operators.ts";
import type { Context } from "../context.ts";
import type { Reader } from "../db/database.ts";
import { type OperatorRole, operatorRoles } from "./operation.ts";

export interface Operator {
  role: OperatorRole;
  standing: Standing;
}

/** The role of a person, read now: what was taken away is gone with the next request. Undefined for everybody else. */
export async function readOperator(ctx: Context, userId: string): Promise<Operator | undefined> {
  const [standing, row] = await Promise.all([
    readStanding(ctx, userId),
    ctx.db.console.one<{ role: OperatorRole }>("select role from console.operators where user_id = $1", [userId]),
  ]);
  if (!standing?.isActive) return undefined;
  const role = row?.role ?? (standing.isAdmin ? "owner" : undefined);
  return role && { role, standing };
}

/** The roles of these people; whoever has none is not in it. */
export async function rolesOf(
  ctx: Context,
  people: readonly { userId: string; isAdmin: boolean }[],
): Promise<Map<string, OperatorRole>> {
  const rows = await ctx.db.console.query<{ userId: string; role: OperatorRole }>(
    `select user_id as "userId", role from console.operators where user_id = any ($1)`,
    [people.map(({ userId }) => userId)],
  );
  const admins = people.filter(({ isAdmin }) => isAdmin).map(({ userId }) => [userId, "owner"] as const);
  return new Map([...admins, ...rows.map(({ userId, role }) => [userId, role] as const)]);
}

/** What the access graph knows of operators: their roles, since when, and by whom where the audit log says so. */
export async function operatorsForGraph(
  ctx: Context,
  userIds: readonly string[],
): Promise<Map<string, { role: OperatorRole; roleBy: string | null; role_ms: number }>> {
  const rows = await ctx.db.console.query<{
    userId: string;
    role: OperatorRole;
    roleBy: string | null;
    role_ms: number;
  }>(
    `select o.user_id as "userId", o.role, floor(extract(epoch from o.since) * 1000)::bigint as role_ms,
       (select a.actor from console.audit a where a.target = o.user_id and a.action = 'operators.set_role' and a.outcome = 'done'
        order by a."position" desc limit 1) as "roleBy"
     from console.operators o where o.user_id = any ($1)`,
    [userIds],
  );
  return new Map(rows.map(({ userId, ...row }) => [userId, row]));
}

/** Whether `role` may do what needs `least`. */
export function isAtLeast(role: OperatorRole, least: OperatorRole): boolean {
  return operatorRoles.indexOf(role) >= operatorRoles.indexOf(least);
}

/** Every operator with this role, or with any; accounts that are suspended are among them. */
export async function operatorsWith(
  ctx: Context,
  role: OperatorRole | "any",
  // Whoever holds a connection in a transaction must not wait for another of the same pool.
  db: Reader = ctx.db.console,
): Promise<string[]> {
  const [admins, rows] = await Promise.all([
    listAdmins(ctx),
    db.query<{ userId: string; role: OperatorRole }>(
      `select user_id as "userId", role from console.operators order by user_id`,
    ),
  ]);
  const all = new Map([
    ...admins.map((userId) => [userId, "owner"] as const),
    ...rows.map((row) => [row.userId, row.role] as const),
  ]);
  return [...all].filter(([, each]) => role === "any" || each === role).map(([userId]) => userId);
}
