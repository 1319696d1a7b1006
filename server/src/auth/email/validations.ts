/**
 * Whether an address is somebody's: a link is sent there, and who opens it and presses the button has proved it for one purpose and for the
 * client that asked. Specification: client-server-api, "Adding account administrative contact information".
 */
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { randomToken } from "../../seams.ts";
import { tokenHash } from "../tokens.ts";
import type { Mail } from "./config.ts";
import { sendLetter } from "./mailer.ts";

export type Purpose = "register" | "password" | "add";

export interface Asked {
  purpose: Purpose;
  /** Folded. */
  address: string;
  clientSecret: string;
  /** A mail is sent only for a number that is higher than those before. */
  sendAttempt: number;
  nextLink?: string | undefined;
}

export const CONFIRM = "/_parley/client/v1/email/confirm";

/** Sends a link to the address, unless this attempt has sent one. Gives the id of the validation (`sid`). */
export async function beginValidation(ctx: Context, mail: Mail, asked: Asked): Promise<string> {
  const token = randomToken(ctx.seams, 32);
  const row = await ctx.db.auth.one<{ id: string; isNew: boolean }>(
    `with expired as (delete from auth.email_validations where expires_at < now()),
     made as (
       insert into auth.email_validations as v (validation_id, purpose, address, secret_hash, token_hash, send_attempt, next_link, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, now() + $8 * interval '1 millisecond')
       on conflict (purpose, address, secret_hash) do update
       set token_hash = excluded.token_hash, send_attempt = excluded.send_attempt, next_link = excluded.next_link,
           validated_at = null, expires_at = excluded.expires_at
       where v.send_attempt < excluded.send_attempt or v.expires_at < now()
       returning validation_id
     )
     select validation_id as id, true as "isNew" from made
     union all
     select validation_id, false from auth.email_validations
     where purpose = $2 and address = $3 and secret_hash = $4 and not exists (select from made)`,
    [
      randomToken(ctx.seams, 18),
      asked.purpose,
      asked.address,
      tokenHash(asked.clientSecret),
      tokenHash(token),
      asked.sendAttempt,
      asked.nextLink ?? null,
      limits.emailLink_ms,
    ],
  );
  if (!row) return idOf(ctx, asked);
  if (row.isNew) {
    const link = `${ctx.publicUrl()}${CONFIRM}?${new URLSearchParams({ token }).toString()}`;
    await send(ctx, mail, { ...asked, link }).catch(async (thrown: unknown) => {
      // The same attempt may try again. A newer one has a link of its own by now, which may have been sent.
      await ctx.db.auth.change("delete from auth.email_validations where validation_id = $1 and token_hash = $2", [
        row.id,
        tokenHash(token),
      ]);
      throw thrown;
    });
  }
  return row.id;
}

/** Of the same attempt that was begun at the same moment, and that the statement which waited for it does not see. */
async function idOf(ctx: Context, { purpose, address, clientSecret }: Asked): Promise<string> {
  const row = await ctx.db.auth.one<{ id: string }>(
    "select validation_id as id from auth.email_validations where purpose = $1 and address = $2 and secret_hash = $3",
    [purpose, address, tokenHash(clientSecret)],
  );
  if (!row) throw matrixError("IO_PARLEY_UNAVAILABLE", "The mail could not be prepared. Try again.");
  return row.id;
}

const WORDS: Readonly<Record<Purpose, (server: string) => [subject: string, what: string]>> = {
  register: (server) => [`Your account on ${server}`, `Somebody is making an account on ${server} with this address.`],
  password: (server) => [
    `A new password on ${server}`,
    `Somebody wants a new password for the account on ${server} that has this address.`,
  ],
  add: (server) => [`Your address on ${server}`, `Somebody wants to add this address to their account on ${server}.`],
};

function send(ctx: Context, mail: Mail, { purpose, address, link }: Asked & { link: string }): Promise<void> {
  const [subject, what] = WORDS[purpose](ctx.config.serverName);
  const text = `${what}\n\nIf that is you, open this page and press the button there. It is good for 24 hours.\n\n${link}\n\nIf it is not you, do nothing: nothing happens without it.`;
  return sendLetter(ctx, mail, { to: address, subject, text });
}

export interface Validation {
  purpose: Purpose;
  address: string;
  nextLink: string | null;
}

const OF_LINK = `purpose, address, next_link as "nextLink"`;

/** What a link is for; undefined for one that is not known or too old. */
export function readLink(ctx: Context, token: string): Promise<Validation | undefined> {
  return ctx.db.auth.one<Validation>(
    `select ${OF_LINK} from auth.email_validations where token_hash = $1 and expires_at > now()`,
    [tokenHash(token)],
  );
}

/** Its reader has pressed the button. */
export function confirmLink(ctx: Context, token: string): Promise<Validation | undefined> {
  return ctx.db.auth.one<Validation>(
    `update auth.email_validations set validated_at = coalesce(validated_at, now()), expires_at = now() + $2 * interval '1 millisecond'
     where token_hash = $1 and expires_at > now() returning ${OF_LINK}`,
    [tokenHash(token), limits.emailProof_ms],
  );
}

export interface Credentials {
  sid: string;
  client_secret: string;
}

/** The address that was proved for this purpose, by whoever asked; undefined where it was not (yet). */
export async function provedAddress(
  ctx: Context,
  purpose: Purpose,
  { sid, client_secret }: Credentials,
): Promise<string | undefined> {
  const row = await ctx.db.auth.one<{ address: string }>(
    `select address from auth.email_validations
     where validation_id = $1 and purpose = $2 and secret_hash = $3 and validated_at is not null and expires_at > now()`,
    [sid, purpose, tokenHash(client_secret)],
  );
  return row?.address;
}

/** What was proved counts once. Gives whether it still counted. */
export async function forgetValidation(ctx: Context, { sid }: Pick<Credentials, "sid">): Promise<boolean> {
  return (await ctx.db.auth.change("delete from auth.email_validations where validation_id = $1", [sid])) > 0;
}
