/** Incoming webhooks: addresses at which other software posts into a room that is not encrypted, as a bot. */
import { tokenHash, newToken } from "../auth/tokens.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { randomToken } from "../seams.ts";

export interface Webhook {
  id: string;
  bot: string;
  room_id: string;
  name: string;
  enabled: boolean;
  created_by: string;
  created_ts: number;
  /** When the newest secret was made. */
  rolled_ts: number;
  /** Until when the one before works too. */
  overlap_until_ts: number | null;
}

const millis = (of: string) => `floor(extract(epoch from ${of}) * 1000)::bigint`;
const WEBHOOK = `w.id, w.bot, w.room_id, w.name, w.enabled, w.created_by, ${millis("w.created_at")} as created_ts,
  (select ${millis("max(s.created_at)")} from console.webhook_secrets s where s.webhook = w.id) as rolled_ts,
  (select ${millis("max(s.ends_at)")} from console.webhook_secrets s where s.webhook = w.id and s.ends_at > now()) as overlap_until_ts`;

export interface WebhooksAsked {
  limit: number;
  after: string | undefined;
  bot: string | undefined;
  roomId: string | undefined;
}

export function listWebhooks(ctx: Context, { limit, after, bot, roomId }: WebhooksAsked): Promise<Webhook[]> {
  return ctx.db.console.query<Webhook>(
    `select ${WEBHOOK} from console.webhooks w
     where ($1::text is null or w.id > $1) and ($2::text is null or w.bot = $2) and ($3::text is null or w.room_id = $3)
     order by w.id limit $4`,
    [after ?? null, bot ?? null, roomId ?? null, limit],
  );
}

/** Throws M_NOT_FOUND. */
export async function readWebhook(ctx: Context, id: string): Promise<Webhook> {
  const row = await ctx.db.console.one<Webhook>(`select ${WEBHOOK} from console.webhooks w where w.id = $1`, [id]);
  if (!row) throw matrixError("M_NOT_FOUND", "There is no such webhook.");
  return row;
}

/** Gives the id and the secret, which stands nowhere else. */
export async function insertWebhook(
  ctx: Context,
  webhook: Pick<Webhook, "bot" | "room_id" | "name" | "created_by">,
): Promise<{ id: string; secret: string }> {
  const [id, secret] = [randomToken(ctx.seams, 9), newToken(ctx.seams, "hook")];
  await ctx.db.console.change(
    `with made as (
       insert into console.webhooks (id, bot, room_id, name, created_by) values ($1, $2, $3, $4, $5) returning id
     )
     insert into console.webhook_secrets (secret_hash, webhook) select $6, id from made`,
    [id, webhook.bot, webhook.room_id, webhook.name, webhook.created_by, tokenHash(secret)],
  );
  return { id, secret };
}

/** A new secret; those before work for `overlap_ms` more. */
export async function rollSecret(ctx: Context, id: string, overlap_ms: number): Promise<string> {
  const secret = newToken(ctx.seams, "hook");
  await ctx.db.console.transaction(async (db) => {
    await db.change("delete from console.webhook_secrets where webhook = $1 and (ends_at < now() or $2 = 0)", [
      id,
      overlap_ms,
    ]);
    await db.change(
      `update console.webhook_secrets set ends_at = least(coalesce(ends_at, 'infinity'), now() + $2 * interval '1 millisecond')
       where webhook = $1`,
      [id, overlap_ms],
    );
    await db.change("insert into console.webhook_secrets (secret_hash, webhook) values ($1, $2)", [
      tokenHash(secret),
      id,
    ]);
  });
  return secret;
}

/** The webhook that the secret opens; undefined where it does not, or the webhook is switched off. */
export function openWebhook(ctx: Context, id: string, secret: string): Promise<Webhook | undefined> {
  return ctx.db.console.one<Webhook>(
    `select ${WEBHOOK} from console.webhooks w where w.id = $1 and w.enabled and exists (
       select from console.webhook_secrets s where s.webhook = w.id and s.secret_hash = $2 and (s.ends_at is null or s.ends_at > now()))`,
    [id, tokenHash(secret)],
  );
}

export async function setEnabled(ctx: Context, id: string, isEnabled: boolean): Promise<void> {
  await ctx.db.console.change("update console.webhooks set enabled = $2 where id = $1", [id, isEnabled]);
}

export async function deleteWebhook(ctx: Context, id: string): Promise<void> {
  await ctx.db.console.change("delete from console.webhooks where id = $1", [id]);
}

export interface Delivery {
  delivery_id: number;
  at_ts: number;
  address: string;
  status: number;
  idempotency_key: string | null;
  event_id: string | null;
  error: string | null;
  took_ms: number;
  size_bytes: number;
  /** Those that are kept: see kept-headers.ts. */
  headers: Record<string, string>;
  /** How many more there were; null where none were kept yet. */
  headers_left_out: number | null;
}

/** Notes it, and removes those that are older than the newest so many. */
export async function noteDelivery(
  ctx: Context,
  webhook: string,
  delivery: Omit<Delivery, "delivery_id" | "at_ts">,
): Promise<void> {
  const { address, status, idempotency_key, event_id, error, took_ms, size_bytes, headers, headers_left_out } =
    delivery;
  await ctx.db.console.change(
    `with old as (
       delete from console.webhook_deliveries where webhook = $1 and id <= (
         select id from console.webhook_deliveries where webhook = $1 order by id desc offset $9 limit 1)
     )
     insert into console.webhook_deliveries
       (webhook, address, status, idempotency_key, event_id, error, took_ms, size_bytes, headers, headers_left_out)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $10::jsonb, $11)`,
    [
      webhook,
      address,
      status,
      idempotency_key,
      event_id,
      error,
      took_ms,
      size_bytes,
      limits.webhookDeliveries - 1,
      JSON.stringify(headers),
      headers_left_out,
    ],
  );
}

/** Webhooks in use whose newest delivery, of the last days, could not be posted. */
export function listFailing(ctx: Context) {
  return ctx.db.console.query<Pick<Webhook, "id" | "name"> & { error: string }>(
    `select w.id, w.name, d.error from console.webhooks w cross join lateral (
       select error, at from console.webhook_deliveries where webhook = w.id order by id desc limit 1) d
     where w.enabled and d.error is not null and d.at > now() - $1 * interval '1 day' order by w.id limit $2`,
    [limits.webhookFailing_days, limits.attention_items],
  );
}

/** The newest first. */
export function listDeliveries(
  ctx: Context,
  id: string,
  { limit, before }: { limit: number; before: number | undefined },
) {
  return ctx.db.console.query<Delivery>(
    `select id as delivery_id, ${millis("at")} as at_ts, address, status, idempotency_key, event_id, error, took_ms, size_bytes,
       headers, headers_left_out
     from console.webhook_deliveries where webhook = $1 and ($2::bigint is null or id < $2) order by id desc limit $3`,
    [id, before ?? null, limit],
  );
}
