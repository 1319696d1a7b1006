/** Requests that wait for what a person does on a page. Specification: client-server-api, "Fallback" of user-interactive authentication. */
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import type { Completed } from "./interactive.ts";

/** Of a registration, by its session: whoever is signed in, and the nonces of the shared secret, have rows of other kinds. */
const WAITING = "id = $1 and user_id is null and operation = '/_matrix/client/v3/register' and expires_at > now()";

/** Throws M_NOT_FOUND where no registration of this session waits. */
export async function requireWaiting(ctx: Context, session: string): Promise<void> {
  const row = await ctx.db.auth.one(`select 1 from auth.interactive_sessions where ${WAITING}`, [session]);
  if (!row) throw matrixError("M_NOT_FOUND", "Nothing waits for you here any more. Go back to the application.");
}

/** A stage is complete; the client goes on with the session alone. */
export async function completeStage(ctx: Context, session: string, stage: Completed): Promise<void> {
  await ctx.db.auth.change(`update auth.interactive_sessions set completed = completed || $2::jsonb where ${WAITING}`, [
    session,
    JSON.stringify(stage),
  ]);
}

/** A request of somebody who is signed in. */
export interface OwnWaiting {
  userId: string;
  /** Its path. */
  operation: string;
}

const OWN = "id = $1 and user_id is not null and expires_at > now()";

/** The request of this session that waits. Throws M_NOT_FOUND. */
export async function requireOwnWaiting(ctx: Context, session: string): Promise<OwnWaiting> {
  const row = await ctx.db.auth.one<OwnWaiting>(
    `select user_id as "userId", operation from auth.interactive_sessions where ${OWN}`,
    [session],
  );
  if (!row) throw matrixError("M_NOT_FOUND", "Nothing waits for you here any more. Go back to the application.");
  return row;
}

/** As `completeStage`, for the person whose request it is. */
export async function completeOwnStage(
  ctx: Context,
  { session, userId }: { session: string; userId: string },
  stage: Completed,
): Promise<void> {
  const sql = `update auth.interactive_sessions set completed = completed || $3::jsonb where ${OWN} and user_id = $2`;
  await ctx.db.auth.change(sql, [session, userId, JSON.stringify(stage)]);
}

/** By the end of their path. */
const ACTS: readonly (readonly [path: RegExp, act: string])[] = [
  [/\/account\/deactivate$/, "deactivate your account for good"],
  [/\/account\/password$/, "set a password for your account"],
  [/\/account\/3pid\/add$/, "add an e-mail address to your account"],
  [/\/(delete_devices|devices\/[^/]+)$/, "sign devices of yours out"],
  [/\/keys\/device_signing\/upload$/, "replace the identity of your encryption"],
  [/\/login\/get_token$/, "sign another device in as you"],
];

/** What is asked, as the end of a sentence. */
export function actOf(operation: string): string {
  return ACTS.find(([path]) => path.test(operation))?.[1] ?? "do something that needs your word";
}
