/** Registration tokens: who has one may register. Specification: client-server-api, "Token-authenticated registration". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { limits } from "../limits.ts";
import { newToken, tokenHash } from "./tokens.ts";

/** Whether the token may be used now. While registration is off only one that makes an administrator may. */
export async function isUsableRegistrationToken(ctx: Context, hash: Buffer): Promise<boolean> {
  const row = await ctx.db.auth.one(
    `select 1 from auth.registration_tokens t
     where t.token_hash = $1 and auth.registration_token_valid(t) and (t.makes_admin or $2)`,
    [hash, ctx.controls.now().registration !== "off"],
  );
  return row !== undefined;
}

/** Whether a link for the first administrator is waiting to be used. */
export async function awaitsAdministrator(ctx: Context): Promise<boolean> {
  const row = await ctx.db.auth.one(
    "select 1 from auth.registration_tokens t where t.makes_admin and auth.registration_token_valid(t) limit 1",
  );
  return row !== undefined;
}

/** Whether somebody can register by themselves, with a token or without. */
export async function mayRegister(ctx: Context): Promise<boolean> {
  return ctx.controls.now().registration !== "off" || (await awaitsAdministrator(ctx));
}

/** Whether no account is made without an e-mail address that was confirmed. */
export function needsMail({ config }: Context): boolean {
  return config.mail?.atRegistration === "required";
}

/** Throws M_FORBIDDEN where nobody can register, not even with a token. */
export async function refuseWhileOff(ctx: Context): Promise<void> {
  if (!(await mayRegister(ctx))) throw matrixError("M_FORBIDDEN", "Nobody can register on this server by themselves.");
}

export const registrationTokenValidity = route({
  method: "GET",
  path: "/_matrix/client/v1/register/m.login.registration_token/validity",
  access: "anyone",
  rate: "register",
  query: z.looseObject({ token: z.string() }),
  async handle({ query }, ctx) {
    await refuseWhileOff(ctx);
    return { valid: await isUsableRegistrationToken(ctx, tokenHash(query.token)) };
  },
});

/**
 * An administrator makes a token: how often and how long it works, by default once and for a week. The answer is the only
 * place where the token stands in full. Not in the specification.
 */
export const createRegistrationToken = route({
  method: "POST",
  path: "/_parley/v1/registration_tokens",
  access: "admin",
  rate: "other",
  body: z.object({
    uses_allowed: z.int().min(1).max(limits.registrationToken_uses).default(1),
    expires_in_ms: z.int().min(1).max(limits.registrationToken_ms).default(limits.registrationTokenDefault_ms),
  }),
  handle: ({ body, session }, ctx) =>
    makeRegistrationToken(ctx, { ...body, note: undefined, created_by: session.userId }),
});

export interface NewRegistrationToken {
  uses_allowed: number;
  expires_in_ms: number;
  note: string | undefined;
  created_by: string;
}

/** Makes a token. What it gives is the only place where it stands in full. */
export async function makeRegistrationToken(
  ctx: Context,
  { uses_allowed, expires_in_ms, note, created_by }: NewRegistrationToken,
) {
  const token = newToken(ctx.seams, "registration");
  await ctx.db.auth.change(
    `insert into auth.registration_tokens (token_hash, uses_allowed, expires_at, note, created_by)
     values ($1, $2, now() + $3 * interval '1 millisecond', $4, $5)`,
    [tokenHash(token), uses_allowed, expires_in_ms, note ?? null, created_by],
  );
  return { token, link: `${ctx.publicUrl()}/register?token=${token}`, uses_allowed, expires_in_ms };
}

/** By what operators name a token: the first 64 bits of its hash, of which nobody can make the token. */
export function registrationTokenId(token: string): string {
  return tokenHash(token).toString("hex").slice(0, TOKEN_ID_LETTERS);
}

const TOKEN_ID_LETTERS = 16;

export interface RegistrationTokenRow {
  token_id: string;
  note: string | null;
  created_by: string | null;
  created_ts: number;
  expires_ts: number | null;
  uses: number;
  uses_allowed: number | null;
  makes_admin: boolean;
  /** Whether it can still be used. */
  is_valid: boolean;
}

const ROW = `left(encode(token_hash, 'hex'), ${TOKEN_ID_LETTERS}) as token_id, note, created_by, uses, uses_allowed, makes_admin,
  auth.registration_token_valid(t) as is_valid, floor(extract(epoch from created_at) * 1000)::bigint as created_ts,
  floor(extract(epoch from expires_at) * 1000)::bigint as expires_ts`;

export interface TokensAfter {
  limit: number;
  isValidOnly: boolean;
  /** The last of the page before. */
  after: { created_ts: number; token_id: string } | undefined;
}

/** The newest first. */
export function listRegistrationTokens(ctx: Context, { limit, isValidOnly, after }: TokensAfter) {
  return ctx.db.auth.query<RegistrationTokenRow>(
    `select * from (select ${ROW} from auth.registration_tokens t) as r
     where ($1::bigint is null or (created_ts, token_id) < ($1, $2)) and (is_valid or not $3)
     order by created_ts desc, token_id desc limit $4`,
    [after?.created_ts ?? null, after?.token_id ?? "", isValidOnly, limit],
  );
}

/** Removes the token; undefined where there is none. Accounts that were made with it stay. */
export function revokeRegistrationToken(ctx: Context, tokenId: string): Promise<RegistrationTokenRow | undefined> {
  return ctx.db.auth.one<RegistrationTokenRow>(
    `delete from auth.registration_tokens t where left(encode(token_hash, 'hex'), ${TOKEN_ID_LETTERS}) = $1 returning ${ROW}`,
    [tokenId],
  );
}
