/** To-device messages: the client says by a token of their own up to where it has them. MSC3885. */
import { formatToken, parseToken } from "../../log/token.ts";
import type { Context } from "../../context.ts";
import type { LogEntry } from "../../log/entry.ts";
import { toDeviceMessages } from "../devices.ts";
import { standOf } from "../sync.ts";
import type { Told } from "./e2ee.ts";
import { readMessagesTo } from "./queries.ts";
import { isInMemory, type Slide } from "./slide.ts";

/** Up to where the client has its messages: 0 where its token is of another history, for then it gets all of them. */
export async function messagesSince(ctx: Context, since: string | undefined): Promise<number> {
  if (since === undefined) return 0;
  return (await standOf(ctx, parseToken(since, "extensions.to_device.since")))?.position ?? 0;
}

/** The messages above `since`, as far as one answer takes them. */
export async function toDeviceExtension(slide: Slide, since: number, limit: number): Promise<Told> {
  const { ctx, ask, parts, upTo } = slide;
  const found = await messages(slide, since, limit);
  const told = found.slice(0, limit);
  const last = told.at(-1);
  if (last) parts.handedOut.set(ask.session.id, last.position);
  const position = found.length > limit ? (last?.position ?? since) : Math.max(since, upTo);
  const token = formatToken({ epoch: ctx.log.epoch, position });
  return {
    json: `{"next_batch":"${token}","events":[${told.map(({ body }) => body).join(",")}]}`,
    hasNews: told.length > 0,
  };
}

async function messages({ ctx, parts, ask, upTo }: Slide, since: number, limit: number): Promise<LogEntry[]> {
  const { userId, deviceId } = ask.session;
  // Memory still has what had arrived and was deleted: who begins asks the database.
  const found =
    since === 0 || !isInMemory({ ctx }, since)
      ? await readMessagesTo(ctx, { userId, deviceId, since, upTo, limit })
      : ctx.log.tail.ofUser(userId, since);
  return toDeviceMessages(found, parts, ask.session).filter(({ position }) => position <= upTo);
}
