/**
 * Tickets of the shell: whoever can write to the database may do everything, so a command writes itself a right to one request.
 * Of a ticket the database has the hash alone.
 */
import { tokenHash } from "../auth/tokens.ts";
import type { Context } from "../context.ts";
import type { Db } from "../db/database.ts";
import { limits } from "../limits.ts";
import { randomToken, type Seams } from "../seams.ts";

export const TICKET_PREFIX = "psh_";
const TICKET_BYTES = 32;

interface NewTicket {
  seams: Seams;
  /** `shell:<account>@<host>`: who the audit log names. */
  actor: string;
}

/** Writes a ticket, and takes those away that have expired. */
export async function writeTicket(db: Pick<Db, "change">, { seams, actor }: NewTicket): Promise<string> {
  const ticket = TICKET_PREFIX + randomToken(seams, TICKET_BYTES);
  await db.change(
    `with gone as (delete from console.shell_tickets where expires_at < now())
     insert into console.shell_tickets (ticket_hash, actor, expires_at) values ($1, $2, now() + $3::bigint * interval '1 millisecond')`,
    [tokenHash(ticket), actor, limits.shellTicket_ms],
  );
  return ticket;
}

/** Whose ticket it is, and uses it up; undefined where it is not known, has expired or was used. */
export async function useTicket(ctx: Context, ticket: string): Promise<string | undefined> {
  const row = await ctx.db.console.one<{ actor: string; isLive: boolean }>(
    `delete from console.shell_tickets where ticket_hash = $1 returning actor, expires_at > now() as "isLive"`,
    [tokenHash(ticket)],
  );
  return row?.isLive ? row.actor : undefined;
}
