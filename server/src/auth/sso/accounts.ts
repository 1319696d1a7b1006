/** Which accounts the people of a provider have. A person is known by issuer and subject, and by nothing that may change. */
import { listPerson } from "../../directory/people.ts";
import { beginProfile, changeProfile } from "../../account/profile.ts";
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import { bindAddress, ownerOfAddress } from "../email/addresses.ts";
import { listPasskeys } from "../factors/passkeys.ts";
import { accountLocked, readModeration } from "../moderation.ts";
import { hasPassword } from "../passwords.ts";
import { nameIsTaken } from "../register-refusals.ts";
import { accepted, makingAccount } from "../terms/acceptance.ts";
import type { Versions } from "../terms/policies.ts";
import type { SsoProvider } from "./config.ts";
import type { Identity } from "./identity.ts";

type Known = Pick<Identity, "issuer" | "subject">;

/** Whose account it is; undefined where it is nobody's. A slash at the end makes no other issuer: see `isOf`. */
export async function accountOf(ctx: Context, { issuer, subject }: Known): Promise<string | undefined> {
  const sql = `select user_id as "userId" from auth.external_ids
    where issuer = any (array[rtrim($1, '/'), rtrim($1, '/') || '/']) and subject = $2 order by added_at limit 1`;
  return (await ctx.db.auth.one<{ userId: string }>(sql, [issuer, subject]))?.userId;
}

export interface ExternalId extends Known {
  added_ms: number;
}

export function externalIdsOf(ctx: Context, userId: string): Promise<ExternalId[]> {
  return ctx.db.auth.query<ExternalId>(
    `select issuer, subject, floor(extract(epoch from added_at) * 1000)::bigint as "added_ms"
     from auth.external_ids where user_id = $1 order by added_at, issuer, subject`,
    [userId],
  );
}

/** Has the provider know the account from now on. Throws M_FORBIDDEN where it knows another one by this. */
export async function link(ctx: Context, userId: string, { issuer, subject }: Known): Promise<void> {
  if ((await accountOf(ctx, { issuer, subject })) === undefined)
    await ctx.db.auth.change(
      "insert into auth.external_ids (issuer, subject, user_id) values ($1, $2, $3) on conflict do nothing",
      [issuer, subject, userId],
    );
  const owner = await accountOf(ctx, { issuer, subject });
  if (owner !== userId)
    throw matrixError("M_FORBIDDEN", `This sign-in is that of another account here, ${owner ?? "which is gone"}.`);
}

/** Throws M_FORBIDDEN where nothing else would let the person in. */
export async function unlink(ctx: Context, userId: string, { issuer, subject }: Known): Promise<void> {
  const isLast = (await externalIdsOf(ctx, userId)).length <= 1;
  if (isLast && !(await hasPassword(ctx, userId)) && (await listPasskeys(ctx, userId)).length === 0)
    throw matrixError("M_FORBIDDEN", "This is your only way to sign in. Add another one first.");
  await ctx.db.auth.change("delete from auth.external_ids where user_id = $1 and issuer = $2 and subject = $3", [
    userId,
    issuer,
    subject,
  ]);
}

/** Of somebody who is erased. An account that has merely ended keeps its own, so that nobody makes a second one by it. */
export async function eraseExternalIds(ctx: Context, userId: string): Promise<void> {
  await ctx.db.auth.change("delete from auth.external_ids where user_id = $1", [userId]);
  await ctx.db.auth.change("delete from auth.sso_logins where user_id = $1", [userId]);
}

/** The account whose confirmed address it is, where the operator has people linked by that. */
export async function accountByEmail(
  ctx: Context,
  provider: SsoProvider,
  { email, isEmailVerified }: Identity,
): Promise<string | undefined> {
  if (!provider.link_by_verified_email || !isEmailVerified || email === undefined) return undefined;
  return ownerOfAddress(ctx, email);
}

interface Newcomer {
  userId: string;
  provider: SsoProvider;
  identity: Identity;
  /** The policies that the person has accepted. */
  versions?: Versions;
}

/** Makes the account of a newcomer, with the name that others see. Throws M_USER_IN_USE. Gives whose account the person has. */
export async function createAccountFor(
  ctx: Context,
  { userId, provider, identity, versions }: Newcomer,
): Promise<string> {
  const { issuer, subject, displayName, email, isEmailVerified } = identity;
  // Before the account is there, so that no account is ever missing in the directory or without a name.
  await Promise.all([listPerson(ctx, userId), beginProfile(ctx, userId)]);
  const row = await ctx.db.auth.one<{ outcome: "created" | "taken" | "known" }>(
    makingAccount("select auth.create_external_account($1, $2, $3) as outcome", "$4"),
    [userId, issuer, subject, accepted(versions)],
  );
  if (row?.outcome === "taken") throw nameIsTaken();
  // Two requests of one person at one moment: the other one was faster.
  if (row?.outcome === "known") return (await accountOf(ctx, identity)) ?? userId;
  if (displayName !== undefined) await changeProfile(ctx, userId, { field: "displayname", value: displayName });
  const isOwnAddress = provider.save_email && isEmailVerified && email !== undefined;
  if (isOwnAddress && (await ownerOfAddress(ctx, email)) === undefined) await bindAddress(ctx, userId, email);
  return userId;
}

/** Throws M_USER_DEACTIVATED or M_USER_LOCKED for an account that nobody may sign in to. */
export async function requireOpen(ctx: Context, userId: string): Promise<void> {
  const found = await readModeration(ctx, userId);
  if (!found) throw matrixError("M_USER_DEACTIVATED", "This account has been deactivated.");
  if (found.locked) throw accountLocked();
}
