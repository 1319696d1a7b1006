/**
 * `GET /events`: what happens, told as one list, as it was before there was /sync. `?room_id=` follows one room that the reader need not be
 * in. Specification: client-server-api, "Old-style endpoints", and "Room Previews".
 */
import { z } from "zod";
import type { Context } from "../context.ts";
import { type Request, route } from "../http.ts";
import { limits } from "../limits.ts";
import { parseToken } from "../log/token.ts";
import { tell, walk } from "../messages/page.ts";
import { notBefore, positionOf, readingOf, tokenFor } from "../messages/reading.ts";
import { pause } from "../seams.ts";
import { type Event, followInOldForm, inOldForm, inRoom, inviteTo, noteFollowing, type OldRoom } from "./old-style.ts";
import { catchUp } from "./sync.ts";

const eventsQuery = z.looseObject({
  from: z.string().optional(),
  timeout: z.coerce.number().int().min(0).optional(),
  room_id: z.string().optional(),
});
type Asked = Request<undefined, z.output<typeof eventsQuery>>;

export const events = route({
  method: "GET",
  path: "/_matrix/client/v3/events",
  access: "session",
  rate: "other",
  query: eventsQuery,
  handle: (request, ctx) =>
    request.query.room_id === undefined ? ownEvents(ctx, request) : peek(ctx, request, request.query.room_id),
});

const timeoutOf = ({ query }: Asked) => Math.min(query.timeout ?? limits.oldEvents_ms, limits.syncTimeout_ms);

async function startOf(ctx: Context, { query }: Asked): Promise<number> {
  if (query.from === undefined) return ctx.log.hub.head();
  await catchUp(ctx, await positionOf(ctx, query.from, "from"));
  // The history may have ended below it meanwhile.
  return positionOf(ctx, query.from, "from");
}

/**
 * What happens in the rooms that one is in or invited to, and besides it typing, receipts, presence and account data: what is of a room says
 * of which. Specification: "Client Config", Events.
 */
async function ownEvents(ctx: Context, request: Asked): Promise<object> {
  const { session, signal, query } = request;
  noteFollowing(ctx, session);
  // Who begins here knows that they are there.
  if (query.from === undefined) await ctx.ephemeral.written();
  const since = await startOf(ctx, request);
  // A token of another endpoint does not say how much typing and presence was seen: none is told that is old.
  const seen = (query.from === undefined ? undefined : parseToken(query.from).ephemeral) || ctx.ephemeral.clock();
  const from = { position: since, ephemeral: seen };
  const filter = { room: { timeline: { limit: limits.page_events }, include_leave: true } };
  const synced = await followInOldForm(ctx, { session, filter, from, timeout_ms: timeoutOf(request), signal });
  const { join = {}, leave = {}, invite = {} } = synced.rooms ?? {};
  const invited = await Promise.all(Object.keys(invite).map((roomId) => inviteTo(ctx, roomId, session)));
  return {
    start: query.from ?? tokenFor(ctx, since),
    end: synced.next_batch,
    chunk: [
      ...Object.entries({ ...leave, ...join }).flatMap(([roomId, each]) => inRoom(roomId, eventsOf(each))),
      ...invited.flatMap(({ event }) => event ?? []),
      ...inOldForm(synced.presence?.events),
      ...(synced.account_data?.events ?? []),
    ],
  };
}

function eventsOf({ timeline, state_after, ephemeral, account_data }: OldRoom): Event[] {
  // There is no gap in this form: what is not in the timeline any more is told by what it has come to.
  const state = timeline?.limited ? state_after : undefined;
  return [state, timeline, ephemeral, account_data].flatMap((section) => section?.events ?? []);
}

/** What happens in a room that one may read: nobody wakes who is not in it, so it is looked at again and again. */
async function peek(ctx: Context, request: Asked, roomId: string): Promise<object> {
  const { session, signal } = request;
  const since = await startOf(ctx, request);
  const deadline_ms = ctx.seams.monotonic_ms() + timeoutOf(request);
  for (;;) {
    const head = ctx.log.hub.head();
    // Anew each time: the room may not be theirs to read any more.
    const reading = notBefore(await readingOf(ctx, roomId, session), head);
    const page = await walk(reading, { direction: "f", from: since, to: head, limit: limits.page_events });
    const left_ms = deadline_ms - ctx.seams.monotonic_ms();
    if (page.entries.length > 0 || left_ms <= 0 || ctx.stopping.aborted || signal().aborted) {
      const chunk = (await tell(reading, page.entries)).map((json) => JSON.parse(json) as Event);
      const end = page.entries.length === limits.page_events ? (page.entries.at(-1)?.position ?? head) : head;
      return { start: request.query.from ?? tokenFor(ctx, since), end: tokenFor(ctx, end), chunk };
    }
    await pause(ctx.seams, Math.min(left_ms, limits.peekPoll_ms), signal());
  }
}
