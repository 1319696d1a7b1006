/** What operators do with people's accounts. */
import { z } from "zod";
import { changeProfile, profileOf } from "../../account/profile.ts";
import { deactivateAccount } from "../../auth/deactivate.ts";
import { removeFactors } from "../../auth/factors/second-factor.ts";
import { readAccount } from "../../auth/for-operators.ts";
import { createAccount, resetSignIn, suspendAccount, unsuspendAccount } from "../../auth/for-operators-acts.ts";
import { moderateAccount } from "../../auth/moderation.ts";
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import { forgetConnections } from "../../explorer/forget.ts";
import { limits } from "../../limits.ts";
import { type Change, operation, type OperationRequest, pageOf, reasonSchema } from "../operation.ts";
import { each, outcome, userIds } from "./bulk.ts";
import { actOn, mayActOn } from "./may.ts";
import { time } from "./shapes.ts";

const nothing = z.object({});
const becauseOf = z.object({ reason: reasonSchema });
type Asked = Pick<OperationRequest, "actor" | "audit" | "transact">;

async function changeOfStatus(ctx: Context, userId: string, act: () => Promise<unknown>): Promise<Change> {
  const before = await readAccount(ctx, userId);
  await act();
  const after = await readAccount(ctx, userId);
  return {
    before: { status: before?.status, devices: before?.devices },
    after: { status: after?.status, devices: after?.devices },
  };
}

type StatusAct = (ctx: Context, userId: string) => Promise<void>;

const by = (status: StatusAct) => (ctx: Context, request: Asked, userId: string) =>
  actOn(ctx, request, { userId, act: () => changeOfStatus(ctx, userId, () => status(ctx, userId)) });

const suspend = by(suspendAccount);
const unsuspend = by(unsuspendAccount);
const restrict = by((ctx, userId) => moderateAccount(ctx, userId, { suspended: true }));
const deactivate = (ctx: Context, request: Asked, { userId, erase }: { userId: string; erase: boolean }) =>
  by(async (ctx, userId) => {
    await deactivateAccount(ctx, userId, erase);
    await forgetConnections(ctx, userId);
  })(ctx, request, userId);

const createUser = operation({
  id: "users.create",
  method: "POST",
  path: "/users",
  summary: "Makes an account",
  description: "Without a password the answer has a link by which the person sets one. It is shown this once.",
  role: "operator",
  body: z.object({
    username: z
      .string()
      .min(1)
      .max(limits.identifier_bytes)
      .meta({ description: "What stands before the colon of the user id." }),
    display_name: z.string().trim().min(1).max(limits.displayname_bytes).optional(),
    password: z.string().optional(),
  }),
  answer: z.object({ user_id: z.string(), link: z.string().nullable(), link_expires_ts: time.nullable() }),
  target: ({ body }) => body.username,
  command: { name: "user create", arguments: ["username"], secrets: ["password"] },
  async handle({ body: { username, display_name, password }, audit }, ctx) {
    const { userId, link } = await createAccount(ctx, { username, password });
    if (display_name !== undefined) await changeProfile(ctx, userId, { field: "displayname", value: display_name });
    audit({ target: userId, after: { display_name: display_name ?? null, has_password: password !== undefined } });
    return { user_id: userId, link: link?.link ?? null, link_expires_ts: link?.expires_ms ?? null };
  },
});

const suspendUser = operation({
  id: "users.suspend",
  method: "POST",
  path: "/users/:userId/suspend",
  summary: "Suspends an account: ends its sessions and locks it, so that no new one begins",
  role: "operator",
  body: becauseOf,
  answer: nothing,
  command: { name: "user suspend", arguments: ["userId"] },
  async handle(request, ctx) {
    await suspend(ctx, request, request.params.userId);
    return {};
  },
});

const restrictUser = operation({
  id: "users.restrict",
  method: "POST",
  path: "/users/:userId/restrict",
  summary: "Lets an account read and no more: what Matrix calls suspended",
  description: "Its sessions go on. `users.unsuspend` takes it back.",
  role: "operator",
  body: becauseOf,
  answer: nothing,
  command: { name: "user restrict", arguments: ["userId"] },
  async handle(request, ctx) {
    await restrict(ctx, request, request.params.userId);
    return {};
  },
});

const unsuspendUser = operation({
  id: "users.unsuspend",
  method: "POST",
  path: "/users/:userId/unsuspend",
  summary: "Lets an account sign in and act again, whatever kept it from that",
  role: "operator",
  body: becauseOf,
  answer: nothing,
  command: { name: "user unsuspend", arguments: ["userId"] },
  async handle(request, ctx) {
    await unsuspend(ctx, request, request.params.userId);
    return {};
  },
});

const resetUser = operation({
  id: "users.reset_sign_in",
  method: "POST",
  path: "/users/:userId/reset-sign-in",
  summary: "Takes the password, the passkeys and all sessions of an account, and gives a link to set another password",
  description:
    "What the person has encrypted stays theirs: nobody here can reset a recovery key. Codes from their app are asked for as before.",
  role: "operator",
  body: becauseOf,
  answer: z.object({ link: z.string(), link_expires_ts: time }),
  command: { name: "user reset-sign-in", arguments: ["userId"] },
  async handle(request, ctx) {
    const { userId } = request.params;
    await mayActOn(ctx, request.actor, userId);
    const before = await readAccount(ctx, userId);
    const { link, expires_ms } = await resetSignIn(ctx, userId);
    request.audit({
      before: { has_password: before?.hasPassword, devices: before?.devices },
      after: { has_password: false, devices: 0 },
    });
    return { link, link_expires_ts: expires_ms };
  },
});

const removeFactorsOf = operation({
  id: "users.remove_second_factors",
  method: "POST",
  path: "/users/:userId/remove-second-factors",
  summary:
    "Takes the passkeys, the codes and the recovery codes of an account: the password alone signs in to it again",
  description:
    "For somebody who has lost them. Sessions go on. Who may have the password too is given another with `users.reset_sign_in`.",
  role: "operator",
  body: becauseOf,
  answer: nothing,
  command: { name: "user remove-second-factors", arguments: ["userId"] },
  async handle({ params: { userId }, actor, audit }, ctx) {
    await mayActOn(ctx, actor, userId);
    const { passkeys, hasSecondFactor } = await removeFactors(ctx, userId);
    audit({
      before: { passkeys, has_second_factor: hasSecondFactor },
      after: { passkeys: 0, has_second_factor: false },
    });
    return {};
  },
});

const deactivateUser = operation({
  id: "users.deactivate",
  method: "POST",
  path: "/users/:userId/deactivate",
  summary: "Ends an account for good: it leaves its rooms, and its name stays taken",
  description: "With `erase`, people who join a room later do not see what the account wrote there.",
  role: "operator",
  body: z.object({ reason: reasonSchema, erase: z.boolean().default(false) }),
  answer: nothing,
  command: { name: "user deactivate", arguments: ["userId"] },
  async handle(request, ctx) {
    await deactivate(ctx, request, { userId: request.params.userId, erase: request.body.erase });
    return {};
  },
});

const renameUser = operation({
  id: "users.set_display_name",
  method: "PUT",
  path: "/users/:userId/display-name",
  summary: "Sets a person's display name, here and in their rooms; null takes it away",
  role: "operator",
  body: z.object({
    display_name: z.string().trim().min(1).max(limits.displayname_bytes).nullable(),
    reason: reasonSchema,
  }),
  answer: nothing,
  command: { name: "user rename", arguments: ["userId", "display_name"] },
  async handle({ params: { userId }, body: { display_name }, actor, audit }, ctx) {
    if (userId !== actor.userId) await mayActOn(ctx, actor, userId);
    else if (!(await readAccount(ctx, userId))) throw matrixError("M_NOT_FOUND", "There is no such account.");
    const before = (await profileOf(ctx, userId)).displayname ?? null;
    await changeProfile(ctx, userId, { field: "displayname", value: display_name ?? undefined });
    audit({ before: { display_name: before }, after: { display_name } });
    return {};
  },
});

const many = z.object({ user_ids: userIds, reason: reasonSchema });
const outcomes = pageOf(z.object({ user_id: z.string() }).extend(outcome.shape));
const manyOf = ({ body, audit }: { body: { user_ids: readonly string[] }; audit(change: Change): void }) => ({
  things: [...new Set(body.user_ids)].map((user_id) => ({ user_id })),
  target: ({ user_id }: { user_id: string }) => user_id,
  audit,
});
const targetOfMany = ({ body }: { body: { user_ids?: readonly string[] } }) => `${body.user_ids?.length ?? 0} accounts`;

const suspendMany = operation({
  id: "users.suspend_many",
  method: "POST",
  path: "/users/suspend",
  summary: "Suspends several accounts",
  role: "operator",
  body: many,
  answer: outcomes,
  target: targetOfMany,
  command: { name: "user suspend-many", arguments: ["user_ids"] },
  handle: async (request, ctx) => ({
    items: await each(manyOf(request), ({ user_id }) => suspend(ctx, request, user_id)),
  }),
});

const unsuspendMany = operation({
  id: "users.unsuspend_many",
  method: "POST",
  path: "/users/unsuspend",
  summary: "Lets several suspended accounts sign in again",
  role: "operator",
  body: many,
  answer: outcomes,
  target: targetOfMany,
  command: { name: "user unsuspend-many", arguments: ["user_ids"] },
  handle: async (request, ctx) => ({
    items: await each(manyOf(request), ({ user_id }) => unsuspend(ctx, request, user_id)),
  }),
});

const deactivateMany = operation({
  id: "users.deactivate_many",
  method: "POST",
  path: "/users/deactivate",
  summary: "Ends several accounts for good",
  role: "operator",
  body: many.extend({ erase: z.boolean().default(false) }),
  answer: outcomes,
  target: targetOfMany,
  command: { name: "user deactivate-many", arguments: ["user_ids"] },
  handle: async (request, ctx) => ({
    items: await each(manyOf(request), ({ user_id: userId }) =>
      deactivate(ctx, request, { userId, erase: request.body.erase }),
    ),
  }),
});

export const userActs = [
  createUser,
  suspendUser,
  restrictUser,
  unsuspendUser,
  resetUser,
  removeFactorsOf,
  deactivateUser,
  renameUser,
  suspendMany,
  unsuspendMany,
  deactivateMany,
];
