/** Who is an operator, and who decides it. */
import { z } from "zod";
import { readStanding } from "../../auth/for-operators.ts";
import { setAdministrator, withdrawLinks } from "../../auth/for-operators-acts.ts";
import type { Db } from "../../db/database.ts";
import type { Context } from "../../context.ts";
import { asError, matrixError } from "../../errors.ts";
import { forgetConnections } from "../../explorer/forget.ts";
import { putThese } from "../../graph/accounts.ts";
import { operation, operatorRoles, reasonSchema } from "../operation.ts";
import { rolesOf } from "../operators.ts";
import { endOwner } from "./may.ts";

const setRole = operation({
  id: "operators.set_role",
  method: "PUT",
  path: "/users/:userId/role",
  summary: "Makes a person an operator with this role, or none with null",
  description:
    "An auditor reads, an operator acts, an owner decides about operators and keys. The last owner stays one. " +
    "Links by which the person was to set a password are withdrawn: whoever made one has less rights than they get here. " +
    "With the right to use the explorer its saved connections go.",
  role: "owner",
  body: z.object({ role: z.enum(operatorRoles).nullable(), reason: reasonSchema }),
  answer: z.object({}),
  command: { name: "user role", arguments: ["userId", "role"] },
  async handle(request, ctx) {
    const { userId } = request.params;
    const { role } = request.body;
    const standing = await readStanding(ctx, userId);
    // Taken from whoever has it: it would come back when a suspension ends.
    if (!standing || (role !== null && !standing.isActive))
      throw matrixError("M_NOT_FOUND", "There is no such account, or it is not active.");
    if (role !== null) await withdrawLinks(ctx, userId);
    const before = (await rolesOf(ctx, [{ userId, isAdmin: standing.isAdmin }])).get(userId) ?? null;
    const change = async (db: Pick<Db, "change">) => {
      await db.change(ROLES[role === null ? "take" : "give"], role === null ? [userId] : [userId, role]);
      if (role !== "owner") await setAdministrator(ctx, userId, false);
      return { before: { role: before }, after: { role } };
    };
    if (before !== "owner" || role === "owner") await request.transact(async (db) => request.audit(await change(db)));
    else await endOwner(ctx, request, { userId, act: change });
    // On another connection: given when the log has it, and taken before. An administrator without a row is an owner.
    if (role === "owner") await setAdministrator(ctx, userId, true);
    // An auditor has no explorer either.
    if (role === null || role === "auditor") await forgetConnections(ctx, userId);
    await showInGraph(ctx, userId);
    return {};
  },
});

/** The act is done, and the worker would find it within a minute: it does not fail by this. */
async function showInGraph(ctx: Context, userId: string): Promise<void> {
  await putThese(ctx, [userId]).catch((thrown: unknown) => {
    ctx.logger.warn({ userId, reason: asError(thrown).message }, "the access graph does not know a role yet");
  });
}

const ROLES = {
  give: `insert into console.operators (user_id, role) values ($1, $2)
    on conflict (user_id) do update set role = excluded.role, since = now()`,
  take: "delete from console.operators where user_id = $1",
} satisfies Record<string, string>;

export const roleOperations = [setRole];
