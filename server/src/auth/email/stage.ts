/**
 * The stage m.login.email.identity on a page of ours (page.ts): the mail belongs to the session of the request that waits, and what its reader
 * confirms is complete there, whether the page is still open or not. Nothing is copied: the session names the validation, and is complete as long
 * as that is confirmed and not too old.
 */
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import type { Purpose } from "./validations.ts";

/** What is complete in a session, as SQL over `auth.interactive_sessions as s`: also what its mail has proved (see `Completed`). */
export const COMPLETED = `s.completed || coalesce((
  select jsonb_build_object('m.login.email.identity', jsonb_build_object('address', v.address, 'sid', v.validation_id)::text)
  from auth.email_validations v
  where v.validation_id = s.validation_id and v.validated_at is not null and v.expires_at > now()), '{}')`;

/** The requests of people who are not signed in that want an address proved, and for what. */
const OPERATIONS: Readonly<Record<string, Purpose>> = {
  "/_matrix/client/v3/register": "register",
  "/_matrix/client/v3/account/password": "password",
};

const WAITING = `s.id = $1 and s.user_id is null and s.expires_at > now()`;

/** A request that waits for an address. */
export interface MailWaiting {
  purpose: Purpose;
  isDone: boolean;
  /** The mail that was sent last; undefined before there was one, or when nothing is known of it any more. */
  mail: { address: string; attempt: number; isGood: boolean } | undefined;
  /** Whether there was a mail. */
  wasSent: boolean;
}

/** Undefined where no request of this session waits for an address. */
export async function readMailWaiting(ctx: Context, session: string): Promise<MailWaiting | undefined> {
  const row = await ctx.db.auth.one<{
    operation: string;
    isDone: boolean;
    sid: string | null;
    address: string | null;
    attempt: number;
    isGood: boolean;
  }>(
    `select s.operation, (${COMPLETED}) ? 'm.login.email.identity' as "isDone", s.validation_id as sid,
       m.address, m.send_attempt as attempt, m.expires_at > now() as "isGood"
     from auth.interactive_sessions s left join auth.email_validations m on m.validation_id = s.validation_id
     where ${WAITING}`,
    [session],
  );
  const purpose = row && (Object.hasOwn(OPERATIONS, row.operation) ? OPERATIONS[row.operation] : undefined);
  if (!purpose) return undefined;
  const { address, attempt, isGood, isDone, sid } = row;
  const mail = address === null ? undefined : { address, attempt, isGood };
  return { purpose, isDone, mail, wasSent: sid !== null };
}

/** The mail is the session's from now on, in the place of one before, whose link ends. The session waits as long as the link is good. */
export async function linkMail(ctx: Context, session: string, sid: string): Promise<void> {
  await ctx.db.auth.change(
    `with before as (select s.validation_id as sid from auth.interactive_sessions s where ${WAITING} for update),
     linked as (
       update auth.interactive_sessions s
       set validation_id = $2, expires_at = greatest(s.expires_at, now() + $3 * interval '1 millisecond')
       where s.id = $1 and exists (select from before)
     )
     delete from auth.email_validations where validation_id in (select sid from before) and validation_id <> $2`,
    // The last to confirm has the time of any other for what is left.
    [session, sid, limits.emailLink_ms + limits.interactive_ms],
  );
}
