/** User ids. Specification: appendices, "User Identifiers". */
import type { Service } from "../appservice/service.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";

const GRAMMAR = /^[a-z0-9._=/+-]+$/;
const GENERATED_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";
const GENERATED_LENGTH = 12;

/** The user id for a name that somebody wants. Throws M_INVALID_USERNAME, and M_EXCLUSIVE where an application service keeps it. */
export function newUserId(ctx: Context, username: string): string {
  // Capitals are not in the grammar; those of a name typed on a phone are not worth a refusal.
  const localpart = username.toLowerCase();
  if (!GRAMMAR.test(localpart))
    throw matrixError("M_INVALID_USERNAME", "A user name has only the letters a to z, digits and . _ = - / +");
  const userId = userIdOf(ctx, localpart);
  ctx.services.requireFreeUser(userId);
  if (localpart.startsWith("_"))
    throw matrixError("M_INVALID_USERNAME", "User names that begin with _ are kept for application services.");
  return userId;
}

/** The user id for a name that an application service wants for one of its users. Throws as `newUserId` does. */
export function newServiceUserId(ctx: Context, username: string, service: Service): string {
  if (!GRAMMAR.test(username))
    throw matrixError("M_INVALID_USERNAME", "A user name has only the letters a to z, digits and . _ = - / +");
  const userId = userIdOf(ctx, username);
  if (service.user(userId) === "no")
    throw matrixError("M_EXCLUSIVE", `${userId} is in no namespace of this application service.`);
  ctx.services.requireFreeUser(userId, service);
  return userId;
}

function userIdOf(ctx: Context, localpart: string): string {
  const userId = `@${localpart}:${ctx.config.serverName}`;
  if (Buffer.byteLength(userId) > limits.identifier_bytes)
    throw matrixError("M_INVALID_USERNAME", "This user name is too long.");
  return userId;
}

/** A name for somebody who did not ask for one. */
export function generatedUserId(ctx: Context): string {
  const letters = Array.from(
    { length: GENERATED_LENGTH },
    () => GENERATED_LETTERS[ctx.seams.randomInt(GENERATED_LETTERS.length)],
  );
  return `@${letters.join("")}:${ctx.config.serverName}`;
}

/** The user id that somebody means who types it whole or its localpart only; it need not exist, nor be of this server. */
export function userIdFrom(ctx: Context, user: string): string {
  if (!user.startsWith("@")) return `@${user.toLowerCase()}:${ctx.config.serverName}`;
  const [localpart = "", ...server] = user.split(":");
  return `${localpart.toLowerCase()}:${server.join(":")}`;
}
