/** Registrations that wait for what a person does on a page. Specification: client-server-api, "Fallback" of user-interactive authentication. */
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
