/**
 * Accounts that operators have locked or suspended. Specification: client-server-api, "Account moderation".
 *
 * - Locked: every request is answered M_USER_LOCKED but signing out; the sessions stay.
 * - Suspended: whatever only reads, or concerns nobody but the account itself, goes on; the rest is M_USER_SUSPENDED.
 *
 * The console's "suspend" locks the account and ends its sessions: see for-operators-acts.ts.
 */
import type { Context } from "../context.ts";
import { matrixError, type MatrixError } from "../errors.ts";
import { GOES_ON } from "../system/maintenance.ts";

export interface Moderated {
  isLocked?: boolean | undefined;
  isSuspended?: boolean | undefined;
}

const CLIENT = "/_matrix/client/v3";
const SIGNING_OUT = new Set([`${CLIENT}/logout`, `${CLIENT}/logout/all`]);

/**
 * What a suspended account may do beside reading, which with POST is in GOES_ON: the specification's list, and what nobody else
 * notices. By the pattern of a route.
 */
const STILL_ALLOWED = [
  /^\/_matrix\/client\/v3\/(logout|devices|delete_devices|account\/(deactivate|password))(\/|$)/,
  /^\/_matrix\/client\/v1\/login\/get_token$/,
  /^\/_matrix\/client\/(v3|unstable\/[^/]+)\/(keys|room_keys|sendToDevice|dehydrated_device)(\/|$)/,
  /^\/_matrix\/client\/v3\/rooms\/:roomId\/(leave|forget|redact|receipt|read_markers|report)(\/|$)/,
  /^\/_matrix\/client\/v3\/(user\/:userId\/(filter|account_data|rooms)|users\/:userId\/report|pushrules|pushers|search)(\/|$)/,
  // A copy of what the server has of them, and a try of their own pusher.
  /^\/_parley\/client\/v1\/(exports|push\/test)$/,
];

/** What throws M_USER_LOCKED or M_USER_SUSPENDED where an account may not do this. `path` is the route's pattern. */
export function goodStandingFor(method: string, path: string): (account: Moderated) => void {
  const isLeft = {
    locked: SIGNING_OUT.has(path),
    suspended: method === "GET" || GOES_ON.has(path) || STILL_ALLOWED.some((each) => each.test(path)),
  };
  return ({ isLocked, isSuspended }) => {
    if (isLocked && !isLeft.locked) throw accountLocked();
    if (isSuspended && !isLeft.suspended) throw accountSuspended();
  };
}

export function accountLocked(): MatrixError {
  return matrixError("M_USER_LOCKED", "This account is locked by the operators of this server.", {
    fields: { soft_logout: true },
  });
}

export function accountSuspended(): MatrixError {
  return matrixError(
    "M_USER_SUSPENDED",
    "This account is suspended by the operators of this server: it may only read.",
  );
}

export interface Moderation {
  locked?: boolean;
  suspended?: boolean;
}

/**
 * Sets one state or both, or takes them back. In force in this process when it resolves; the others are being told. Throws M_NOT_FOUND.
 */
export async function moderateAccount(ctx: Context, userId: string, { locked, suspended }: Moderation): Promise<void> {
  const row = await ctx.db.auth.one<{ position: number | null }>("select auth.moderate($1, $2, $3) as position", [
    userId,
    locked ?? null,
    suspended ?? null,
  ]);
  if (row?.position == null) throw matrixError("M_NOT_FOUND", "There is no such account, or it is deactivated.");
  if (row.position > 0) await ctx.log.reached(row.position);
}

/** The states of an active account; undefined where there is none. */
export function readModeration(ctx: Context, userId: string): Promise<Required<Moderation> | undefined> {
  return ctx.db.auth.one<Required<Moderation>>(
    `select suspended_at is not null as locked, read_only_at is not null as suspended
     from auth.accounts where user_id = $1 and deactivated_at is null`,
    [userId],
  );
}
