/** What operators do with accounts. Each is in force in this process when it resolves; the others are being told. */
import { beginProfile } from "../account/profile.ts";
import type { Context } from "../context.ts";
import { listPerson } from "../directory/people.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { afterEnding, type Ended, ENDED_COLUMNS } from "./end-sessions.ts";
import { removePasskeys } from "./factors/passkeys.ts";
import { moderateAccount } from "./moderation.ts";
import { hashPassword } from "./hashing.ts";
import { checkNewPassword } from "./passwords.ts";
import { newToken, tokenHash } from "./tokens.ts";
import { newUserId } from "./user-names.ts";

/** Locks the account and ends its sessions. Throws M_NOT_FOUND where there is no such account, or it is deactivated. */
export async function suspendAccount(ctx: Context, userId: string): Promise<void> {
  const row = await ctx.db.auth.one<Ended>(`select ${ENDED_COLUMNS} from auth.suspend($1)`, [userId]);
  if (!row) throw noSuchAccount();
  await afterEnding(ctx, userId, row);
}

/** Lets the person sign in and act again, whatever kept them from it. Throws M_NOT_FOUND. */
export function unsuspendAccount(ctx: Context, userId: string): Promise<void> {
  return moderateAccount(ctx, userId, { locked: false, suspended: false });
}

export interface SignInLink {
  link: string;
  expires_ms: number;
}

/** Takes the password, the passkeys and all sessions, and gives a link by which the person sets another password. Throws M_NOT_FOUND. */
export async function resetSignIn(ctx: Context, userId: string): Promise<SignInLink> {
  await removePasskeys(ctx, userId);
  const row = await ctx.db.auth.one<Ended>(`select ${ENDED_COLUMNS} from auth.reset_sign_in($1)`, [userId]);
  if (!row) throw noSuchAccount();
  await afterEnding(ctx, userId, row);
  return makeLink(ctx, userId);
}

async function makeLink(ctx: Context, userId: string): Promise<SignInLink> {
  const token = newToken(ctx.seams, "registration");
  const row = await ctx.db.auth.one<{ expires_ms: number }>(
    `insert into auth.sign_in_links (token_hash, user_id, expires_at) values ($1, $2, now() + $3::bigint * interval '1 millisecond')
     returning floor(extract(epoch from expires_at) * 1000)::bigint as "expires_ms"`,
    [tokenHash(token), userId, limits.signInLink_ms],
  );
  return { link: `${ctx.publicUrl()}/api/v1/set-password?token=${token}`, expires_ms: row?.expires_ms as number };
}

/** Withdraws the person's links: whoever made or saw one must not come in by it any more. */
export async function withdrawLinks(ctx: Context, userId: string): Promise<void> {
  await ctx.db.auth.change("delete from auth.sign_in_links where user_id = $1", [userId]);
}

/** Whose link it is; undefined where it is not known, was used, or has expired. */
export async function ownerOfLink(ctx: Context, token: string): Promise<string | undefined> {
  const row = await ctx.db.auth.one<{ userId: string }>(
    `select user_id as "userId" from auth.sign_in_links where token_hash = $1 and expires_at > now()`,
    [tokenHash(token)],
  );
  return row?.userId;
}

/** Uses a link up. Throws M_WEAK_PASSWORD, or M_FORBIDDEN where it is no longer good. */
export async function setPasswordByLink(ctx: Context, token: string, password: string): Promise<string> {
  checkNewPassword(ctx, password);
  // Nothing but the right link may hash.
  const isKnown = await ownerOfLink(ctx, token);
  const hash = isKnown && (await hashPassword(ctx, password));
  const row = hash
    ? await ctx.db.auth.one<{ userId: string | null }>(`select auth.use_sign_in_link($1, $2) as "userId"`, [
        tokenHash(token),
        hash,
      ])
    : undefined;
  if (!row?.userId) throw matrixError("M_FORBIDDEN", "This link was used, or has expired. Ask for another.");
  return row.userId;
}

export interface NewAccount {
  username: string;
  /** Without one there is a link by which the person sets it. */
  password?: string | undefined;
}

/** Makes an account. Throws M_INVALID_USERNAME, M_USER_IN_USE or M_WEAK_PASSWORD. */
export async function createAccount(
  ctx: Context,
  { username, password }: NewAccount,
): Promise<{ userId: string; link?: SignInLink }> {
  const userId = newUserId(ctx, username);
  if (password !== undefined) checkNewPassword(ctx, password);
  const passwordHash = password === undefined ? null : await hashPassword(ctx, password);
  // As at a registration: before the account is there, so that none is missing in the directory or without a name.
  await Promise.all([listPerson(ctx, userId), beginProfile(ctx, userId)]);
  const row = await ctx.db.auth.one<{ outcome: string }>("select auth.create_account($1, $2, null) as outcome", [
    userId,
    passwordHash,
  ]);
  if (row?.outcome !== "created") throw matrixError("M_USER_IN_USE", "This user name is taken.");
  return password === undefined ? { userId, link: await makeLink(ctx, userId) } : { userId };
}

/** Whether the account is an administrator of the server, for what asks for one outside of the operator API. */
export async function setAdministrator(ctx: Context, userId: string, isAdmin: boolean): Promise<void> {
  const sql = "update auth.accounts set is_admin = $2 where user_id = $1 and deactivated_at is null";
  if ((await ctx.db.auth.change(sql, [userId, isAdmin])) === 0) throw noSuchAccount();
}

function noSuchAccount() {
  return matrixError("M_NOT_FOUND", "There is no such account, or it is deactivated.");
}
