/** The passkeys of accounts, as they are kept. What they sign is verified in webauthn.ts. */
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";

export interface Passkey {
  credentialId: Buffer;
  userId: string;
  publicKey: Buffer;
  counter: number;
  transports: string[];
}

export interface ListedPasskey {
  /** In base64url, as forms name it. */
  id: string;
  name: string;
  transports: string[];
  created_ms: number;
  lastUsed_ms: number | null;
}

const millis = (column: string) => `floor(extract(epoch from ${column}) * 1000)::bigint`;

/** The oldest first. */
export async function listPasskeys(ctx: Context, userId: string): Promise<ListedPasskey[]> {
  const rows = await ctx.db.auth.query<Omit<ListedPasskey, "id"> & { credentialId: Buffer }>(
    `select credential_id as "credentialId", name, transports, ${millis("created_at")} as "created_ms",
       ${millis("last_used_at")} as "lastUsed_ms"
     from auth.passkeys where user_id = $1 order by created_at, credential_id`,
    [userId],
  );
  return rows.map(({ credentialId, ...row }) => ({ id: credentialId.toString("base64url"), ...row }));
}

/** The passkey of a credential's id, in base64url. */
export function findPasskey(ctx: Context, id: string): Promise<Passkey | undefined> {
  return ctx.db.auth.one<Passkey>(
    `select credential_id as "credentialId", user_id as "userId", public_key as "publicKey", counter, transports
     from auth.passkeys where credential_id = $1`,
    [Buffer.from(id, "base64url")],
  );
}

/** Throws M_RESOURCE_LIMIT_EXCEEDED, and M_INVALID_PARAM for a passkey that is somebody's already. */
export async function addPasskey(ctx: Context, passkey: Passkey & { name: string }): Promise<void> {
  const { credentialId, userId, publicKey, counter, transports, name } = passkey;
  const added = await ctx.db.auth.change(
    `insert into auth.passkeys (credential_id, user_id, public_key, counter, transports, name)
     select $1, $2, $3, $4, $5, $6 where (select count(*) from auth.passkeys where user_id = $2) < $7
     on conflict do nothing`,
    [credentialId, userId, publicKey, counter, transports, name, limits.passkeys],
  );
  if (added > 0) return;
  if (await findPasskey(ctx, credentialId.toString("base64url")))
    throw matrixError("M_INVALID_PARAM", "This passkey belongs to an account here already.");
  throw matrixError("M_RESOURCE_LIMIT_EXCEEDED", `An account has at most ${limits.passkeys} passkeys.`);
}

/**
 * Notes a use. Gives false where the counter did not go up, although it counts: somebody else has used the passkey, so there are two of
 * it. Those that never count stay at 0.
 */
export async function notePasskeyUse(ctx: Context, credentialId: Buffer, counter: number): Promise<boolean> {
  const noted = await ctx.db.auth.change(
    `update auth.passkeys set counter = $2, last_used_at = now()
     where credential_id = $1 and (counter < $2 or (counter = 0 and $2 = 0))`,
    [credentialId, counter],
  );
  return noted > 0;
}

export async function renamePasskey(ctx: Context, userId: string, given: { id: string; name: string }): Promise<void> {
  await ctx.db.auth.change("update auth.passkeys set name = $3 where user_id = $1 and credential_id = $2", [
    userId,
    Buffer.from(given.id, "base64url"),
    given.name,
  ]);
}

export async function removePasskey(ctx: Context, userId: string, id: string): Promise<void> {
  await ctx.db.auth.change("delete from auth.passkeys where user_id = $1 and credential_id = $2", [
    userId,
    Buffer.from(id, "base64url"),
  ]);
}

/** Gives how many there were. */
export function removePasskeys(ctx: Context, userId: string): Promise<number> {
  return ctx.db.auth.change("delete from auth.passkeys where user_id = $1", [userId]);
}
