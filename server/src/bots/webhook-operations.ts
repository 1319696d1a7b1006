/** Incoming webhooks as operators make and watch them. */
import { z } from "zod";
import { cursorOf, readCursor } from "../console/cursor.ts";
import { operation, type Operation, pageOf, pageQuery, reasonSchema } from "../console/operation.ts";
import { time } from "../console/users/shapes.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { join } from "../rooms/join.ts";
import { isEncrypted } from "./post.ts";
import { readBot } from "./queries.ts";
import {
  deleteWebhook,
  insertWebhook,
  listDeliveries,
  listWebhooks,
  readWebhook,
  rollSecret,
  setEnabled,
  type Webhook,
} from "./webhooks.ts";

const webhook = z.object({
  webhook_id: z.string(),
  name: z.string(),
  bot: z.string(),
  room_id: z.string(),
  enabled: z.boolean(),
  created_by: z.string(),
  created_ts: time,
  rolled_ts: time.meta({ description: "When its secret was made." }),
  overlap_until_ts: time.nullable(),
});

const shown = ({ id, ...row }: Webhook): z.output<typeof webhook> => ({ webhook_id: id, ...row });
const withUrl = z.object({
  webhook_id: z.string(),
  url: z.string().meta({ description: "Whoever has it may post. It stands in full here, and nowhere else." }),
});
const urlOf = (ctx: Context, id: string, secret: string) => `${ctx.publicUrl()}/api/hooks/${id}/${secret}`;

const list = operation({
  id: "webhooks.list",
  method: "GET",
  path: "/webhooks",
  summary: "Lists incoming webhooks",
  role: "auditor",
  query: z.object({
    limit: pageQuery.limit,
    from: pageQuery.from,
    bot: z.string().max(limits.identifier_bytes).optional(),
    room_id: z.string().max(limits.identifier_bytes).optional(),
  }),
  answer: pageOf(webhook),
  command: { name: "webhook list", columns: ["webhook_id", "name", "bot", "room_id", "enabled", "rolled_ts"] },
  async handle({ query: { limit, from, bot, room_id } }, ctx) {
    const after = from === undefined ? undefined : readCursor(from, z.tuple([z.string()]))[0];
    const rows = await listWebhooks(ctx, { limit: limit + 1, after, bot, roomId: room_id });
    const items = rows.slice(0, limit);
    const last = rows.length > limit ? items.at(-1) : undefined;
    return { items: items.map(shown), ...(last ? { next: cursorOf([last.id]) } : {}) };
  },
});

const create = operation({
  id: "webhooks.create",
  method: "POST",
  path: "/webhooks",
  summary: "Makes an address at which other software posts into a room, as a bot",
  description:
    "The bot joins the room, if its rules allow that. An encrypted room has no webhooks: the server would have to read along.",
  role: "operator",
  body: z.object({
    bot: z.string().max(limits.identifier_bytes),
    room_id: z.string().max(limits.identifier_bytes),
    name: z.string().trim().min(1).max(limits.note_characters),
  }),
  answer: withUrl,
  command: { name: "webhook create", arguments: ["bot", "room_id", "name"] },
  async handle({ body: { bot, room_id, name }, actor, audit }, ctx) {
    if (!(await readBot(ctx, bot))) throw matrixError("M_NOT_FOUND", "There is no such bot.");
    if (await isEncrypted(ctx, room_id))
      throw matrixError("M_FORBIDDEN", "The room is encrypted: nobody but its members' devices can write there.");
    await join(ctx, { roomId: room_id, userId: bot });
    const { id, secret } = await insertWebhook(ctx, { bot, room_id, name, created_by: actor.userId });
    audit({ target: id, after: { bot, room_id, name } });
    return { webhook_id: id, url: urlOf(ctx, id, secret) };
  },
});

const roll = operation({
  id: "webhooks.roll",
  method: "POST",
  path: "/webhooks/:webhookId/roll",
  summary: "Gives a webhook a new address; the one before works for a while beside it",
  role: "operator",
  body: z.object({
    overlap_s: z.int().min(0).max(limits.overlapMost_s).default(limits.overlapDefault_s),
  }),
  answer: withUrl,
  command: { name: "webhook roll", arguments: ["webhookId"] },
  async handle({ params: { webhookId }, body: { overlap_s }, audit }, ctx) {
    await readWebhook(ctx, webhookId);
    const secret = await rollSecret(ctx, webhookId, overlap_s * 1_000);
    audit({ after: { overlap_s } });
    return { webhook_id: webhookId, url: urlOf(ctx, webhookId, secret) };
  },
});

const change = operation({
  id: "webhooks.change",
  method: "PUT",
  path: "/webhooks/:webhookId",
  summary: "Switches a webhook off or on",
  role: "operator",
  body: z.object({ enabled: z.boolean(), reason: reasonSchema }),
  answer: webhook,
  command: { name: "webhook set", arguments: ["webhookId"] },
  async handle({ params: { webhookId }, body: { enabled }, audit }, ctx) {
    const before = await readWebhook(ctx, webhookId);
    await setEnabled(ctx, webhookId, enabled);
    audit({ before: { enabled: before.enabled }, after: { enabled } });
    return shown(await readWebhook(ctx, webhookId));
  },
});

const remove = operation({
  id: "webhooks.delete",
  method: "POST",
  path: "/webhooks/:webhookId/delete",
  summary: "Removes a webhook with its log of deliveries; what it posted stays",
  role: "operator",
  body: z.object({ reason: reasonSchema }),
  answer: webhook,
  command: { name: "webhook delete", arguments: ["webhookId"] },
  async handle({ params: { webhookId }, audit }, ctx) {
    const before = shown(await readWebhook(ctx, webhookId));
    await deleteWebhook(ctx, webhookId);
    audit({ before });
    return before;
  },
});

const deliveries = operation({
  id: "webhooks.deliveries",
  method: "GET",
  path: "/webhooks/:webhookId/deliveries",
  summary: "Shows what came in at a webhook and what became of it, the newest first; not what it said",
  description:
    "Of the headers those are kept by which one finds out who posted: of each the first characters. All others may be secrets, and are only counted.",
  role: "auditor",
  query: z.object({ limit: pageQuery.limit, from: pageQuery.from }),
  answer: pageOf(
    z.object({
      delivery_id: z.int(),
      at_ts: time,
      address: z.string(),
      status: z.int(),
      idempotency_key: z.string().nullable(),
      event_id: z.string().nullable(),
      error: z.string().nullable(),
      took_ms: z.number(),
      size_bytes: z.int(),
      headers: z.record(z.string(), z.string()).meta({ description: "By their names in lower case." }),
      headers_left_out: z
        .int()
        .nullable()
        .meta({ description: "How many more came. Null where a release noted it that kept no headers." }),
    }),
  ),
  command: { name: "webhook deliveries", arguments: ["webhookId"] },
  async handle({ params: { webhookId }, query: { limit, from } }, ctx) {
    await readWebhook(ctx, webhookId);
    const before = from === undefined ? undefined : readCursor(from, z.tuple([z.int()]))[0];
    const rows = await listDeliveries(ctx, webhookId, { limit: limit + 1, before });
    const items = rows.slice(0, limit);
    const last = rows.length > limit ? items.at(-1) : undefined;
    return { items, ...(last ? { next: cursorOf([last.delivery_id]) } : {}) };
  },
});

export const operations: readonly Operation[] = [list, create, roll, change, remove, deliveries];
