/** Tokens of directories: whoever has one may make accounts, change them and end them. */
import type { Context } from "../context.ts";
import { newToken, tokenHash } from "../auth/tokens.ts";
import { sqlState, UNIQUE_VIOLATION } from "../db/database.ts";
import { matrixError } from "../errors.ts";
import type { Request } from "../http.ts";
import { limits } from "../limits.ts";
import { randomToken } from "../seams.ts";

/** Who asks. */
export interface ScimToken {
  token_id: string;
  name: string;
  /** Of PARLEY_SSO_PROVIDERS: an externalId is a subject of it. */
  provider_id: string | null;
}

/** Whose token a request carries. A look-up by its hash tells nothing through its timing. Throws M_MISSING_TOKEN and M_UNKNOWN_TOKEN. */
export async function useToken(
  ctx: Context,
  { headers, address }: Pick<Request<unknown, unknown, undefined>, "headers" | "address">,
): Promise<ScimToken> {
  const token = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
  if (token === undefined) throw matrixError("M_MISSING_TOKEN", "The request has no token of a directory.");
  const found = await ctx.db.auth.one<ScimToken>(
    `with used as (
       update auth.scim_tokens set last_used_at = now(), last_used_address = $2
       where token_hash = $1 and (last_used_at is null or last_used_at < now() - $3 * interval '1 millisecond')
     )
     select token_id, name, provider_id from auth.scim_tokens where token_hash = $1`,
    [tokenHash(token), address, limits.scimSeen_ms],
  );
  if (!found) throw matrixError("M_UNKNOWN_TOKEN", "This token of a directory is not known, or was revoked.");
  return found;
}

export interface ScimTokenRow {
  token_id: string;
  name: string;
  provider: string | null;
  created_by: string;
  created_ts: number;
  last_used_ts: number | null;
  last_used_address: string | null;
}

const millis = (of: string) => `floor(extract(epoch from ${of}) * 1000)::bigint`;
const ROW = `token_id, name, provider_id as provider, created_by, ${millis("created_at")} as created_ts,
  ${millis("last_used_at")} as last_used_ts, last_used_address`;

/** All of them, the newest first. */
export function listTokens(ctx: Context): Promise<ScimTokenRow[]> {
  return ctx.db.auth.query<ScimTokenRow>(
    `select ${ROW} from auth.scim_tokens order by created_at desc, token_id limit $1`,
    [limits.scimTokens],
  );
}

export interface NewScimToken {
  name: string;
  provider: string | undefined;
  created_by: string;
}

/** Makes a token. What it gives is the only place where it stands in full. Throws M_INVALID_PARAM and M_RESOURCE_LIMIT_EXCEEDED. */
export async function makeToken(ctx: Context, { name, provider, created_by }: NewScimToken) {
  const token = newToken(ctx.seams, "scim");
  try {
    const made = await ctx.db.auth.one<ScimTokenRow>(
      `insert into auth.scim_tokens as t (token_id, token_hash, name, provider_id, created_by)
       select $1, $2, $3, $4, $5 where (select count(*) from auth.scim_tokens) < $6 returning ${ROW}`,
      [randomToken(ctx.seams, 9), tokenHash(token), name, provider ?? null, created_by, limits.scimTokens],
    );
    if (made) return { ...made, token };
  } catch (thrown) {
    if (sqlState(thrown) !== UNIQUE_VIOLATION) throw thrown;
    throw matrixError("M_INVALID_PARAM", `There is a token with the name "${name}". Choose another one.`);
  }
  throw matrixError(
    "M_RESOURCE_LIMIT_EXCEEDED",
    `There are ${limits.scimTokens} tokens of directories already. Revoke one first.`,
  );
}

/** Removes the token; undefined where there is none. What was done with it stays. */
export function revokeToken(ctx: Context, tokenId: string): Promise<ScimTokenRow | undefined> {
  return ctx.db.auth.one<ScimTokenRow>(`delete from auth.scim_tokens where token_id = $1 returning ${ROW}`, [tokenId]);
}
