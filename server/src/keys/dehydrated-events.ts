/**
 * The messages that wait for a dehydrated device. They stay until the device is replaced or deleted, so that a rehydration that was
 * cut can be begun again. Proposal MSC3814; its older form is a POST, and knows by an empty page that there are no more, its newer
 * form is a GET, and knows by the missing `next_batch`.
 */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { type Answer, encoded, route, type Session } from "../http.ts";
import { limits } from "../limits.ts";
import { formatToken, parseToken, type Token } from "../log/token.ts";

const PATH = "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/:deviceId/events";
const pageSize = z.coerce.number().int().min(1).catch(limits.toDevicePerSync_messages);

export const getDehydratedEvents = route({
  method: "GET",
  path: PATH,
  access: "session",
  rate: "keys",
  query: z.looseObject({ from: z.string().optional(), limit: pageSize }),
  async handle({ params, session, query }, ctx) {
    const ask = { session, deviceId: params["deviceId"] as string, from: query.from, limit: query.limit };
    const page = await readPage(ctx, ask);
    return answerOf(page, page.hasMore ? page.next : undefined);
  },
});

export const postDehydratedEvents = route({
  method: "POST",
  path: PATH,
  access: "session",
  rate: "keys",
  body: z.looseObject({ next_batch: z.string().nullish() }),
  async handle({ params, session, body }, ctx) {
    const limit = limits.toDevicePerSync_messages;
    const from = body.next_batch ?? undefined;
    const page = await readPage(ctx, { session, deviceId: params["deviceId"] as string, from, limit });
    return answerOf(page, page.next);
  },
});

interface Ask {
  session: Session;
  deviceId: string;
  from: string | undefined;
  limit: number;
}

interface Page {
  /** JSON. */
  messages: string[];
  hasMore: boolean;
  next: string;
}

async function readPage(ctx: Context, { session: { userId }, deviceId, from, limit }: Ask): Promise<Page> {
  const device = await ctx.db.keys.one<{ deviceId: string }>(
    `select device_id as "deviceId" from keys.dehydrated_devices where user_id = $1`,
    [userId],
  );
  if (device?.deviceId !== deviceId) throw matrixError("M_NOT_FOUND", "You have no dehydrated device of this id.");
  const after = from === undefined ? 0 : await placeOf(ctx, parseToken(from, "from"));
  const size = Math.min(limit, limits.toDevicePerSync_messages);
  const rows = await ctx.db.log.query<{ position: number; body: string }>(
    `select position, body from log.entries
     where kind = 'to_device' and user_id = $1 and device_id = $2 and position > $3 order by position limit $4`,
    [userId, deviceId, after, size + 1],
  );
  const page = rows.slice(0, size);
  const position = page.at(-1)?.position ?? after;
  return {
    messages: page.map(({ body }) => body),
    hasMore: rows.length > size,
    next: formatToken({ epoch: ctx.log.epoch, position }),
  };
}

/** Where the reader of pages stands: of another history, where that one turned off, since others have the positions behind it by now. */
async function placeOf({ log }: Context, token: Token): Promise<number> {
  return Math.max(0, await log.sharedNow(token));
}

function answerOf({ messages }: Page, next: string | undefined): Answer {
  const token = next === undefined ? "" : `,"next_batch":${JSON.stringify(next)}`;
  return encoded(`{"events":[${messages.join(",")}]${token}}`);
}
