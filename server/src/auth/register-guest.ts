/** How a guest's account comes about, and how it becomes an ordinary one. Specification: client-server-api, "Guest access". */
import { z } from "zod";
import { beginProfile } from "../account/profile.ts";
import type { Context } from "../context.ts";
import { listPerson } from "../directory/people.ts";
import { matrixError, MatrixError } from "../errors.ts";
import { noGuests } from "./guests.ts";
import { hashPassword } from "./hashing.ts";
import { refuseWhileOff } from "./registration-tokens.ts";
import { nameIsTaken, tokenIsUsedUp } from "./register-refusals.ts";
import { signIn } from "./sign-in.ts";
import { accepted, makingAccount } from "./terms/acceptance.ts";
import type { Versions } from "./terms/policies.ts";
import { generatedUserId, newUserId } from "./user-names.ts";

/** What the body of POST /register may say beside what everybody says. */
export const upgrading = { guest_access_token: z.string().optional() };

interface Arriving {
  deviceName: string | undefined;
  address: string;
}

/** Makes a guest's account and signs it in; gives the answer of POST /register. Throws M_GUEST_ACCESS_FORBIDDEN where there are no guests. */
export async function registerGuest(ctx: Context, { deviceName, address }: Arriving): Promise<object> {
  if (!ctx.config.guests) throw noGuests();
  await refuseWhileOff(ctx);
  const userId = generatedUserId(ctx);
  const sql = "insert into auth.accounts (user_id, is_guest) values ($1, true) on conflict do nothing";
  if ((await ctx.db.auth.change(sql, [userId])) === 0) throw nameIsTaken();
  return signIn(ctx, { userId, device: { initial_device_display_name: deviceName }, address });
}

interface Upgrading {
  guest_access_token?: string | undefined;
  username?: string | null | undefined;
}

/**
 * The guest whose account the request wants to be an ordinary one; undefined where it is a new account that is wanted. Throws
 * M_MISSING_PARAM without the user name, and M_FORBIDDEN where the token is not that of this guest.
 */
export async function guestUpgrading(
  ctx: Context,
  { guest_access_token: token, username }: Upgrading,
): Promise<string | undefined> {
  if (token === undefined || !ctx.config.guests) return undefined;
  if (username == null) throw matrixError("M_MISSING_PARAM", "A guest who registers says their username.");
  const session = await ctx.authenticate(token).catch(asNobody);
  if (session?.isGuest && session.userId === newUserId(ctx, username)) return session.userId;
  throw matrixError("M_FORBIDDEN", '"guest_access_token" is not the access token of the guest who is called so.');
}

function asNobody(thrown: unknown): undefined {
  if (!(thrown instanceof MatrixError && thrown.errcode === "M_UNKNOWN_TOKEN")) throw thrown;
}

interface Upgraded {
  userId: string;
  password: string;
  tokenHash: Buffer | undefined;
  /** The policies that the person has accepted. */
  versions: Versions | undefined;
  /** Uses up what else was proved, when nothing else is left to be done. */
  claim?: () => Promise<void>;
}

/** Makes the guest's account an ordinary one. Its rooms and sessions stay. Throws M_USER_IN_USE where it is one already. */
export async function upgradeGuest(ctx: Context, upgraded: Upgraded): Promise<void> {
  const { userId, password, tokenHash, versions, claim } = upgraded;
  const passwordHash = await hashPassword(ctx, password);
  await claim?.();
  await Promise.all([listPerson(ctx, userId), beginProfile(ctx, userId)]);
  const row = await ctx.db.auth.one<{ outcome: "created" | "taken" | "token"; position: number | null }>(
    makingAccount("select * from auth.upgrade_guest($1, $2, $3)", "$4"),
    [userId, passwordHash, tokenHash ?? null, accepted(versions)],
  );
  if (row?.outcome === "token") throw tokenIsUsedUp();
  if (row?.position == null) throw nameIsTaken();
  await ctx.log.reached(row.position);
}
