/** The last step of every way to sign in: a session on a device, and tokens for it. */
import type { Context } from "../context.ts";
import type { Db } from "../db/database.ts";
import { type MatrixError, matrixError } from "../errors.ts";
import { forgetDevices } from "../keys/forget.ts";
import { readCrossSigning } from "../keys/queries.ts";
import { endSessions } from "./end-sessions.ts";
import { accountLocked, readModeration } from "./moderation.ts";
import { newToken, tokenHash } from "./tokens.ts";

const DEVICE_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DEVICE_ID_LENGTH = 10;

export interface SignIn {
  userId: string;
  /** The stored hash that the password was checked against: if it changed meanwhile, the sign-in fails. */
  passwordHash?: string;
  device: {
    device_id?: string | undefined;
    initial_device_display_name?: string | undefined;
    /** Whether the client can refresh its access token. */
    refresh_token?: boolean | undefined;
  };
  address: string;
  /** Where a provider let the person in. */
  login?: number | null;
}

/**
 * Signs the device in and gives the answer of POST /login and /register. A device id that the account has already goes on with
 * its session, and its earlier tokens end. Throws M_FORBIDDEN where the account changed since it was authenticated, or where
 * the device id is that of a key.
 */
export async function signIn(ctx: Context, { userId, passwordHash, device, address, login }: SignIn): Promise<object> {
  const deviceId = device.device_id || newDeviceId(ctx);
  const access = newToken(ctx.seams, "access");
  const refresh = device.refresh_token ? newToken(ctx.seams, "refresh") : undefined;
  const lifetime_ms = refresh ? ctx.controls.now().access_token_lifetime_s * 1_000 : undefined;
  const parameters = [
    userId,
    passwordHash ?? null,
    deviceId,
    device.initial_device_display_name ?? null,
    address,
    tokenHash(access),
    refresh ? tokenHash(refresh) : null,
    lifetime_ms ?? null,
    login ?? null,
  ];
  await openSession(ctx, {
    userId,
    deviceId,
    chosenDeviceId: device.device_id,
    open: (db) =>
      db.one(
        `select ended, is_new as "isNew", auth.leave_oauth($1, $3), auth.sso_attach($1, $3, $9) as "isOpen"
         from auth.sign_in($1, $2, $3, $4, $5, $6, $7, $8)`,
        parameters,
      ),
  });
  return {
    user_id: userId,
    device_id: deviceId,
    home_server: ctx.config.serverName,
    access_token: access,
    ...(refresh ? { refresh_token: refresh, expires_in_ms: lifetime_ms } : {}),
  };
}

interface Opening {
  userId: string;
  deviceId: string;
  /** The device's id, where it was not made for this. */
  chosenDeviceId: string | undefined;
  /**
   * Makes the session and its tokens; gives no row where the account may not sign in. `isOpen`: not where the provider that let the person in
   * has ended that meanwhile.
   */
  open(db: Db): Promise<{ ended: number | null; isNew: boolean; isOpen: boolean } | undefined>;
}

/** What every API does to sign a device in. Throws M_FORBIDDEN and M_USER_LOCKED as `signIn` does. */
export async function openSession(ctx: Context, { userId, deviceId, chosenDeviceId, open }: Opening): Promise<void> {
  if (chosenDeviceId) await refuseKeyId(ctx, userId, chosenDeviceId);
  const row = await open(ctx.db.auth);
  if (!row) throw await refusal(ctx, userId);
  if (row.ended !== null) await ctx.log.reached(row.ended);
  if (!row.isOpen) {
    await endSessions(ctx, { userId, deviceIds: [deviceId] });
    throw matrixError("M_FORBIDDEN", "Your identity provider has signed you out meanwhile. Sign in again.");
  }
  // Whoever had this device id before may have left keys behind, and messages that are not for this session.
  if (row.isNew && chosenDeviceId) await forgetDevices(ctx, userId, [chosenDeviceId]);
}

/** Specification: "Account locking": whoever is locked out signs in again when they no longer are. */
async function refusal(ctx: Context, userId: string): Promise<MatrixError> {
  if ((await readModeration(ctx, userId))?.locked) return accountLocked();
  return matrixError("M_FORBIDDEN", "The account was changed while you signed in. Try again.");
}

/** A device and a cross-signing key with one name could pass for each other. Specification: "Cross-signing". */
export async function refuseKeyId(ctx: Context, userId: string, deviceId: string): Promise<void> {
  const keys = await readCrossSigning(ctx, [userId]);
  if (keys.some(({ publicKey }) => publicKey === deviceId))
    throw matrixError("M_FORBIDDEN", "This device id is that of a cross-signing key. Leave it out to get another.");
}

function newDeviceId(ctx: Context): string {
  const letter = () => DEVICE_ID_LETTERS[ctx.seams.randomInt(DEVICE_ID_LETTERS.length)];
  return Array.from({ length: DEVICE_ID_LENGTH }, letter).join("");
}
