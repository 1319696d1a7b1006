/**
 * Codes from an app on the person's phone: RFC 6238 with what all such apps know (SHA-1, six digits, 30 seconds). A secret is
 *
 *   begun      shown to the person as a QR code and as text; it protects nothing yet
 *   confirmed  they have typed a code of it: from now on a password alone signs nobody in to the account
 *
 * The code of the step before and after this one is good too; each is taken once, and none that is older than one that was taken. The
 * time is the database's.
 */
import type { Context } from "../../context.ts";
import { MatrixError, matrixError } from "../../errors.ts";
import type { MasterKeys } from "../../secrets/master-keys.ts";
import { purposeOf, sealingKeys } from "./sealing.ts";

/** As RFC 4226 recommends. */
const SECRET_BYTES = 20;
const WINDOW = 1;
const CODE = /^\d{6}$/;

const library = () => import("otpauth");

export interface TotpSecret {
  /** In base32, for people whose app reads no QR code. */
  text: string;
  /** otpauth://totp/… */
  uri: string;
}

/** Makes a secret, in the place of one that was not confirmed. Throws M_BAD_STATE where one is, or where it could not be wrapped. */
export async function beginTotp(ctx: Context, userId: string): Promise<void> {
  const keys = await keysOrSentence(ctx);
  const wrapped = keys.wrap(Buffer.from(ctx.seams.randomBytes(SECRET_BYTES)), purposeOf(userId));
  const begun = await ctx.db.auth.change(
    `insert into auth.totp_secrets as t (user_id, wrapped) values ($1, $2)
     on conflict (user_id) do update set wrapped = excluded.wrapped, last_step = 0, created_at = now() where t.confirmed_at is null`,
    [userId, wrapped],
  );
  if (begun === 0) throw matrixError("M_BAD_STATE", "Codes from an app are set up already. Turn them off first.");
}

/** What `sealingKeys` throws is for operators; here people read it. */
async function keysOrSentence(ctx: Context): Promise<MasterKeys> {
  try {
    return await sealingKeys(ctx);
  } catch (thrown) {
    if (!(thrown instanceof MatrixError)) throw thrown;
    const sentence =
      "This server has no key yet to keep such secrets with: its operators have to set MASTER_ENCRYPTION_KEY. A passkey needs none.";
    throw matrixError("M_BAD_STATE", sentence, { cause: thrown });
  }
}

/** The secret that waits for its first code. */
export async function begunTotp(ctx: Context, userId: string): Promise<TotpSecret | undefined> {
  const row = await ctx.db.auth.one<{ wrapped: Buffer }>(
    "select wrapped from auth.totp_secrets where user_id = $1 and confirmed_at is null",
    [userId],
  );
  if (!row) return undefined;
  const { Secret, TOTP } = await library();
  const secret = new Secret({ buffer: await opened(ctx, userId, row.wrapped) });
  const uri = new TOTP({ issuer: ctx.config.serverName, label: userId, secret }).toString();
  return { text: secret.base32, uri };
}

async function opened(ctx: Context, userId: string, wrapped: Buffer): Promise<ArrayBuffer> {
  const secret = (await sealingKeys(ctx)).unwrap(wrapped, purposeOf(userId));
  return new Uint8Array(secret).buffer;
}

/** Whether a second factor protects the account. */
export async function hasSecondFactor(ctx: Context, userId: string): Promise<boolean> {
  const sql = "select 1 from auth.totp_secrets where user_id = $1 and confirmed_at is not null";
  return (await ctx.db.auth.one(sql, [userId])) !== undefined;
}

/** Takes the code, once. Gives whether it was right. With `confirms` it is the first of a secret that was begun. */
export async function useTotp(
  ctx: Context,
  { userId, code, confirms = false }: { userId: string; code: string; confirms?: boolean },
): Promise<boolean> {
  if (!CODE.test(code)) return false;
  const row = await ctx.db.auth.one<{ wrapped: Buffer; now_ms: number }>(
    `select wrapped, floor(extract(epoch from now()) * 1000)::bigint as "now_ms"
     from auth.totp_secrets where user_id = $1 and (confirmed_at is null) = $2`,
    [userId, confirms],
  );
  if (!row) return false;
  const { Secret, TOTP } = await library();
  const secret = new Secret({ buffer: await opened(ctx, userId, row.wrapped) });
  const at = { timestamp: row.now_ms };
  const delta = TOTP.validate({ token: code, secret, window: WINDOW, ...at });
  if (delta === null) return false;
  const taken = await ctx.db.auth.change(
    `update auth.totp_secrets set last_step = $3, confirmed_at = coalesce(confirmed_at, now())
     where user_id = $1 and wrapped = $2 and last_step < $3 and (confirmed_at is null) = $4`,
    [userId, row.wrapped, TOTP.counter(at) + delta, confirms],
  );
  return taken > 0;
}

/** Gives whether there was one. */
export async function removeTotp(ctx: Context, userId: string): Promise<boolean> {
  const removed = await ctx.db.auth.query<{ wasConfirmed: boolean }>(
    `delete from auth.totp_secrets where user_id = $1 returning confirmed_at is not null as "wasConfirmed"`,
    [userId],
  );
  return removed[0]?.wasConfirmed ?? false;
}
