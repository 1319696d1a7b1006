/**
 * Access tokens of the OAuth 2.0 API: JWTs signed with ES256 (RFC 9068). The session is looked up by a token's hash as with every
 * other token, so its end takes effect at once; the signature is for what stands beside Parley and for the day on which somebody
 * writes into the database: docs/decisions/0052-oauth.md.
 */
import { limits } from "../../limits.ts";
import { randomToken, type Seams } from "../../seams.ts";
import { SIGNING_ALGORITHM, type SigningKeys } from "./signing-keys.ts";

const TYPE = "at+jwt";
const ID_BYTES = 16;

export interface AccessTokenClaims {
  issuer: string;
  userId: string;
  clientId: string;
  scope: string;
  lifetime_ms: number;
}

/** A signed token, which is a text of some 500 characters. */
export async function makeAccessToken(
  { keys, seams }: { keys: SigningKeys; seams: Seams },
  { issuer, userId, clientId, scope, lifetime_ms }: AccessTokenClaims,
): Promise<string> {
  const [{ SignJWT }, { signing }] = await Promise.all([import("jose"), keys.ring()]);
  const now_s = Math.floor(seams.now_ms() / 1_000);
  return new SignJWT({ scope, client_id: clientId })
    .setProtectedHeader({ alg: SIGNING_ALGORITHM, typ: TYPE, kid: signing.kid })
    .setIssuer(issuer)
    .setSubject(userId)
    .setAudience(issuer)
    .setJti(randomToken(seams, ID_BYTES))
    .setIssuedAt(now_s)
    .setExpirationTime(now_s + Math.ceil(lifetime_ms / 1_000))
    .sign(signing.privateKey);
}

/** Whether a token is one of these, and not one of the legacy API, which is looked up and no more. */
export function isSigned(token: string): boolean {
  return token.startsWith("eyJ");
}

/**
 * Whether a key of the ring has signed it. Its time is not looked at: how long a token lives is said by the database's clock alone,
 * and a client whose token has expired is to be told so.
 */
export async function isGenuine(keys: Pick<SigningKeys, "find">, token: string): Promise<boolean> {
  const { compactVerify, decodeProtectedHeader } = await import("jose");
  try {
    const { kid } = decodeProtectedHeader(token);
    const key = kid === undefined ? undefined : await keys.find(kid);
    if (!key) return false;
    const { importJWK } = await import("jose");
    const verified = await compactVerify(token, await importJWK(key.publicKey, SIGNING_ALGORITHM), {
      algorithms: [SIGNING_ALGORITHM],
    });
    return verified.protectedHeader.typ === TYPE;
  } catch (thrown) {
    if (isJoseError(thrown)) return false;
    throw thrown;
  }
}

/** What is wrong with the token, as against a database that is away. */
function isJoseError(thrown: unknown): boolean {
  return (
    thrown instanceof TypeError || (thrown as { code?: unknown } | null)?.code?.toString().startsWith("ERR_J") === true
  );
}

/** How long an access token lives; never longer than a key that signed it is kept. */
export function lifetimeOf(seconds: number): number {
  return Math.min(seconds * 1_000, limits.oauthAccessTokenMost_ms);
}
