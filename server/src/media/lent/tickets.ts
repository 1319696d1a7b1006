/**
 * Tickets that lend one file of one person to another process, once, within seconds: whoever writes to the tables of this domain may
 * have it. Of a ticket the database has the hash alone.
 */
import { newToken, tokenHash } from "../../auth/tokens.ts";
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";

export interface Lent {
  userId: string;
  mediaId: string;
}

/** A ticket for the file, which lives for `limits.lentTicket_ms`. Those that have expired go. */
export async function newLentTicket(ctx: Context, { userId, mediaId }: Lent): Promise<string> {
  const ticket = newToken(ctx.seams, "lent");
  await ctx.db.media.change(
    `with expired as (delete from media.lent_tickets where expires_at < now())
     insert into media.lent_tickets (ticket_hash, user_id, media_id, expires_at)
     values ($1, $2, $3, now() + $4 * interval '1 millisecond')`,
    [tokenHash(ticket), userId, mediaId, limits.lentTicket_ms],
  );
  return ticket;
}

/**
 * What the ticket is for, and uses it up: the file's hash and size, both null where the person has no such file any more. Undefined
 * where the ticket is not known, was used or has expired.
 */
export function useLentTicket(
  ctx: Context,
  ticket: string,
): Promise<{ sha256: string; size_bytes: number } | { sha256: null; size_bytes: null } | undefined> {
  return ctx.db.media.one(
    `with used as (delete from media.lent_tickets where ticket_hash = $1 returning user_id, media_id, expires_at)
     select m.sha256, m.size_bytes from used u left join media.media m using (user_id, media_id) where u.expires_at > now()`,
    [tokenHash(ticket)],
  );
}
