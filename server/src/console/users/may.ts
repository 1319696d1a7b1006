/** On whom an operator may act, so that nobody becomes more than they are, and somebody is always left who may do everything. */
import { readStanding } from "../../auth/for-operators.ts";
import type { Context } from "../../context.ts";
import type { Db } from "../../db/database.ts";
import { matrixError } from "../../errors.ts";
import type { Actor, Change, OperationRequest } from "../operation.ts";
import { operatorsWith, rolesOf } from "../operators.ts";

/**
 * Throws M_NOT_FOUND for no account, and M_FORBIDDEN for one's own and, unless one is an owner, for that of another operator: whoever
 * could reset an owner's sign-in could act as one. Gives the role of the account.
 */
export async function mayActOn(ctx: Context, actor: Actor, userId: string) {
  const standing = await readStanding(ctx, userId);
  if (!standing) throw matrixError("M_NOT_FOUND", "There is no such account.");
  if (userId === actor.userId) throw matrixError("M_FORBIDDEN", "Nobody does this to their own account here.");
  const role = (await rolesOf(ctx, [{ userId, isAdmin: standing.isAdmin }])).get(userId);
  if (role !== undefined && actor.role !== "owner")
    throw matrixError("M_FORBIDDEN", `This account is an operator's ("${role}"): only an owner may do this.`, {
      fields: { required_role: "owner" },
    });
  return role;
}

type Asked = Pick<OperationRequest, "actor" | "audit" | "transact">;

/**
 * Does something by which an account is no owner any more, unless it is the last. Two owners who do that to each other wait for one
 * another, on whichever replicas, and nobody else waits for them: the audit log goes on.
 */
export async function endOwner(
  ctx: Context,
  { audit, transact }: Asked,
  { userId, act }: { userId: string; act(db: Pick<Db, "change">): Promise<Change> },
): Promise<void> {
  await transact(async (db) => {
    await db.query("select pg_advisory_xact_lock(hashtextextended('parley: owners', 0))");
    const owners = await operatorsWith(ctx, "owner", db);
    const standings = await Promise.all(
      owners.filter((each) => each !== userId).map((each) => readStanding(ctx, each)),
    );
    if (!standings.some((each) => each?.isActive))
      throw matrixError("M_FORBIDDEN", "This is the last owner. Make somebody else one first.");
    audit({ target: userId, ...(await act(db)) });
  });
}

/** Does something to an account on which the actor may act. */
export async function actOn(
  ctx: Context,
  request: Asked,
  { userId, act }: { userId: string; act(db: Pick<Db, "change">): Promise<Change> },
): Promise<void> {
  const role = await mayActOn(ctx, request.actor, userId);
  if (role === "owner") return endOwner(ctx, request, { userId, act });
  request.audit({ target: userId, ...(await act(ctx.db.console)) });
}
