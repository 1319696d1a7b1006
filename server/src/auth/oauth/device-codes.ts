/**
 * Devices that wait until somebody lets them in elsewhere. The device asks (the provider's endpoint), shows a code, and asks again and
 * again; the person types the code on a page of ours. Specification: client-server-api, "Device authorisation flow"; RFC 8628.
 */
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import { noteGrant } from "../sso/sessions.ts";
import type { Browser } from "./browsers.ts";
import { grantOf } from "./grants.ts";
import { providerOf } from "./provider.ts";
import { readScope } from "./scopes.ts";

/** What a waiting device asks for. */
export interface Waiting {
  userCode: string;
  clientId: string;
  deviceId: string;
  scope: string;
}

/** A code as it is kept: however somebody types it, with small letters, spaces or a dash. */
export function plainCode(typed: string): string {
  return typed
    .toUpperCase()
    .replace(/[^A-Z]/g, "")
    .slice(0, CODE_LETTERS);
}

/** A code as people read it: ABCD-EFGH. */
export function shownCode(userCode: string): string {
  return `${userCode.slice(0, CODE_LETTERS / 2)}-${userCode.slice(CODE_LETTERS / 2)}`;
}

const CODE_LETTERS = 8;

/** Codes that nobody has answered, and that have not expired. `$2` is how long they are kept after that. */
const OPEN = `kind = 'DeviceCode' and user_code = $1 and expires_at - $2 * interval '1 millisecond' > now()
  and not payload ?| array['accountId', 'error']`;

/** The device that shows this code; undefined where none does any more. */
export async function findWaiting(ctx: Context, userCode: string): Promise<Waiting | undefined> {
  const row = await ctx.db.auth.one<{ clientId: string; scope: string }>(
    `select payload->>'clientId' as "clientId", payload->'params'->>'scope' as scope from auth.oauth_state where ${OPEN}`,
    [userCode, limits.oauthKept_ms],
  );
  const read = readScope(row?.scope);
  if (!row || typeof read === "string") return undefined;
  return { userCode, clientId: row.clientId, deviceId: read.deviceId, scope: read.scope };
}

/** Lets the device in as the person of this browser. Gives whether it still waited. */
export async function letIn(ctx: Context, waiting: Waiting, { userId, login }: Browser): Promise<boolean> {
  const provider = await providerOf(ctx);
  const { scope, clientId } = waiting;
  const grantId = await grantOf(provider, { userId, clientId, scope });
  await noteGrant(ctx, grantId, login);
  const authTime = Math.floor(ctx.seams.now_ms() / 1_000);
  return answer(ctx, waiting, { accountId: userId, grantId, scope, resource: provider.issuer, authTime });
}

/** Tells the device that it may not come in. */
export function turnAway(ctx: Context, waiting: Waiting): Promise<boolean> {
  return answer(ctx, waiting, { error: "access_denied", errorDescription: "the person did not allow it" });
}

async function answer(ctx: Context, { userCode }: Waiting, payload: { grantId?: string; [name: string]: unknown }) {
  const changed = await ctx.db.auth.change(
    `update auth.oauth_state set payload = payload || $3, grant_id = $4 where ${OPEN}`,
    [userCode, limits.oauthKept_ms, payload, payload.grantId ?? null],
  );
  return changed > 0;
}
