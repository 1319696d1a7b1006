/** Who gave the right password in a browser, and owes the code. */
import type { IncomingHttpHeaders } from "node:http";
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import { begin, begunHash } from "./begun.ts";

interface Asked {
  headers: IncomingHttpHeaders;
}

/** The headers by which the browser is known on the next page. */
export async function halfSignIn(ctx: Context, userId: string): Promise<Record<string, string>> {
  const { hash, headers } = begin(ctx);
  await ctx.db.auth.change(
    `insert into auth.half_sign_ins (id_hash, user_id, session_endings, expires_at)
     select $1, user_id, session_endings, now() + $3 * interval '1 millisecond' from auth.accounts where user_id = $2`,
    [hash, userId, limits.halfSignIn_ms],
  );
  return headers;
}

/** Whose password was given in this browser; undefined where that was too long ago, or all their sessions were ended since. */
export async function halfSignedIn(ctx: Context, asked: Asked): Promise<string | undefined> {
  const hash = begunHash(ctx, asked);
  if (!hash) return undefined;
  const row = await ctx.db.auth.one<{ userId: string }>(
    `select h.user_id as "userId" from auth.half_sign_ins h join auth.accounts a on a.user_id = h.user_id
     where h.id_hash = $1 and h.expires_at > now() and h.session_endings = a.session_endings and a.deactivated_at is null`,
    [hash],
  );
  return row?.userId;
}

export async function endHalfSignIn(ctx: Context, asked: Asked): Promise<void> {
  const hash = begunHash(ctx, asked);
  if (hash) await ctx.db.auth.change("delete from auth.half_sign_ins where id_hash = $1", [hash]);
}
