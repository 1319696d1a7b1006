/** Tickets that open a stream once, within seconds, in place of an access token: docs/protocol/stream.md. */
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import type { Session } from "../http.ts";
import { limits } from "../limits.ts";
import { readHead } from "../log/queries.ts";
import { newToken, tokenHash } from "./tokens.ts";

/** Makes a ticket for the session; it lives for `limits.streamTicket_ms`. Throws M_MISSING_PARAM for an application service without a device. */
export async function newStreamTicket(ctx: Context, session: Session): Promise<string> {
  // Such a session is the service's own, and no device has it.
  if (session.deviceId === "")
    throw matrixError("M_MISSING_PARAM", "A stream is that of a device: name it with device_id.");
  const ticket = newToken(ctx.seams, "stream");
  await ctx.db.auth.change(
    `with expired as (delete from auth.stream_tickets where expires_at < now())
     insert into auth.stream_tickets (ticket_hash, session_id, expires_at) values ($1, $2, now() + $3 * interval '1 millisecond')`,
    [tokenHash(ticket), session.id, limits.streamTicket_ms],
  );
  return ticket;
}

/** Whose ticket this is; it works no second time. Throws M_UNKNOWN_TOKEN. */
export async function useStreamTicket(ctx: Context, ticket: string): Promise<Session> {
  // Before the ticket is looked at: what ends its session after this will be heard.
  const asOf = await readHead(ctx.db.log);
  const session = await ctx.db.auth.one<Omit<Session, "asOf">>(
    `with used as (delete from auth.stream_tickets where ticket_hash = $1 returning session_id, expires_at)
     select s.session_id as id, s.user_id as "userId", s.device_id as "deviceId", a.is_admin as "isAdmin",
       a.suspended_at is not null as "isLocked", a.read_only_at is not null as "isSuspended", a.is_guest as "isGuest"
     from used u join auth.sessions s using (session_id) join auth.accounts a using (user_id) where u.expires_at > now()`,
    [tokenHash(ticket)],
  );
  // With soft_logout: the session may well go on, and another ticket can be had.
  if (!session)
    throw matrixError("M_UNKNOWN_TOKEN", "This ticket is not known, was used, or is too old.", {
      fields: { soft_logout: true },
    });
  return { ...session, asOf };
}
