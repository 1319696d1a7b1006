/** What passkeys sign. A challenge is good for one answer, in the browser that it was made for, for `limits.passkeyChallenge_ms`. */
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import { randomToken } from "../../seams.ts";
import { tokenHash } from "../tokens.ts";

const BYTES = 32;

/** A new challenge, in base64url. `browserHash` is of a cookie that the browser sends with its answer. */
export async function makeChallenge(ctx: Context, browserHash: Buffer): Promise<string> {
  const challenge = randomToken(ctx.seams, BYTES);
  await ctx.db.auth.change(
    `insert into auth.passkey_challenges (challenge_hash, browser_hash, expires_at)
     values ($1, $2, now() + $3 * interval '1 millisecond')`,
    [tokenHash(challenge), browserHash, limits.passkeyChallenge_ms],
  );
  return challenge;
}

/** Uses the challenge up. Gives whether it was one of this browser, and was not used. */
export async function useChallenge(ctx: Context, challenge: string, browserHash: Buffer): Promise<boolean> {
  const used = await ctx.db.auth.change(
    "delete from auth.passkey_challenges where challenge_hash = $1 and browser_hash = $2 and expires_at > now()",
    [tokenHash(challenge), browserHash],
  );
  return used > 0;
}
