/**
 * What has to be remembered while somebody is with a provider, and while they look at a page after it. A step is used once, within
 * `limits.ssoStep_ms`, and in the browser in which it began: that has a cookie which nobody else can know, so that an answer of a provider
 * that somebody else began, or found, opens nothing.
 *
 *   sent    ──▶ proved   the provider said who it is, and the person has to say something too
 *           ──▶ (gone)   signed in, refused, or expired
 *   proved  ──▶ (gone)   the person has said it, or it expired
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { randomToken } from "../../seams.ts";
import { issuerOf } from "../oauth/addresses.ts";
import { readCookie } from "../oauth/browsers.ts";
import { tokenHash } from "../tokens.ts";
import type { Identity } from "./identity.ts";

const ID_BYTES = 32;

/** Why somebody goes to a provider: to sign in, to have it know an account that they are signed in to, or to confirm a request. */
export type Purpose =
  | { kind: "sign-in" }
  | { kind: "link"; userId: string }
  /** `session` is that of user-interactive authentication. */
  | { kind: "confirm"; session: string };

interface Begun {
  providerId: string;
  purpose: Purpose;
  /** Where the person goes on: an own page. */
  next: string;
}

export interface Sent extends Begun {
  kind: "sent";
  nonce: string;
  /** Of PKCE. */
  verifier: string;
}

export interface Proved extends Begun {
  kind: "proved";
  identity: Identity;
}

export type Step = Sent | Proved;

interface Asked {
  headers: IncomingHttpHeaders;
}

function isSecure(ctx: Context): boolean {
  return issuerOf(ctx).startsWith("https:");
}

function cookieName(ctx: Context): string {
  return isSecure(ctx) ? "__Host-parley-upstream" : "parley-upstream";
}

/** Remembers the step. Gives its id, and the headers for a browser that has no cookie yet. */
export async function beginStep(
  ctx: Context,
  asked: Asked,
  step: Step,
): Promise<{ id: string; headers: Record<string, string> }> {
  const id = randomToken(ctx.seams, ID_BYTES);
  const before = readCookie(asked, cookieName(ctx));
  const browser = before ?? randomToken(ctx.seams, ID_BYTES);
  const { kind, ...payload } = step;
  await ctx.db.auth.change(
    `insert into auth.sso_steps (id_hash, browser_hash, kind, payload, expires_at)
     values ($1, $2, $3, $4, now() + $5 * interval '1 millisecond')`,
    [tokenHash(id), tokenHash(browser), kind, JSON.stringify(payload), limits.ssoStep_ms],
  );
  // Lax: the provider sends people back by a link, which such a cookie goes with.
  const attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure(ctx) ? "; Secure" : ""}`;
  return { id, headers: before === undefined ? { "set-cookie": `${cookieName(ctx)}=${browser}; ${attributes}` } : {} };
}

interface Wanted<K extends Step["kind"]> {
  kind: K;
  id: string;
  providerId: string;
}

/** A step of this browser that goes on; it stays. Throws M_NOT_FOUND. */
export async function readStep<K extends Step["kind"]>(ctx: Context, asked: Asked, wanted: Wanted<K>) {
  return found(
    wanted,
    await ctx.db.auth.one<{ payload: object }>(
      "select payload from auth.sso_steps where id_hash = $1 and browser_hash = $2 and kind = $3 and expires_at > now()",
      parametersOf(ctx, asked, wanted),
    ),
  );
}

/** As `readStep`, and it is used: nobody comes by it again. */
export async function useStep<K extends Step["kind"]>(ctx: Context, asked: Asked, wanted: Wanted<K>) {
  return found(
    wanted,
    await ctx.db.auth.one<{ payload: object }>(
      `delete from auth.sso_steps where id_hash = $1 and browser_hash = $2 and kind = $3 and expires_at > now() returning payload`,
      parametersOf(ctx, asked, wanted),
    ),
  );
}

function parametersOf(ctx: Context, asked: Asked, { id, kind }: Wanted<Step["kind"]>): unknown[] {
  return [tokenHash(id), tokenHash(readCookie(asked, cookieName(ctx)) ?? ""), kind];
}

function found<K extends Step["kind"]>({ kind, providerId }: Wanted<K>, row: { payload: object } | undefined) {
  const step = row && ({ ...row.payload, kind } as Extract<Step, { kind: K }>);
  if (step?.providerId !== providerId)
    throw matrixError(
      "M_NOT_FOUND",
      "This sign-in has expired, was used, or was begun in another browser. Go back to the application and begin again.",
    );
  return step;
}
