/** `GET /rooms/{roomId}/event/{eventId}` and `/context/{eventId}`. Specification: "Getting events for a room", "Event context". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { encoded, route } from "../http.ts";
import type { LogEntry } from "../log/entry.ts";
import { readEvent } from "../log/queries.ts";
import { sightOf } from "../rooms/access.ts";
import { stateAt } from "../rooms/history.ts";
import { clientEventInRoom } from "./client-event.ts";
import { eventFilter, matcherOf } from "./history.ts";
import { pageLimit, type Reading, tell, tokenFor, walk } from "./page.ts";

/** The event, if the reader may see it. Throws M_NOT_FOUND: whether there is one is nobody else's business. */
export async function visibleEvent(
  ctx: Context,
  session: Reading["session"],
  at: { roomId: string; eventId: string },
): Promise<{ reading: Reading; entry: LogEntry }> {
  const room = await ctx.rooms.find(at.roomId);
  const entry = room && (await readEvent(ctx.db.log, at.eventId));
  const isThere = room && entry?.roomId === room.roomId;
  if (!isThere || !(await sightOf(ctx, room, session.userId)).sees(entry))
    throw matrixError("M_NOT_FOUND", "There is no such event, or you may not see it.");
  return { reading: { ctx, room, access: { mayRead: true }, session }, entry };
}

export const event = route({
  method: "GET",
  path: "/_matrix/client/v3/rooms/:roomId/event/:eventId",
  access: "session",
  rate: "other",
  async handle({ params, session }, ctx) {
    const { reading, entry } = await visibleEvent(ctx, session, params as { roomId: string; eventId: string });
    const [json] = await tell(reading, [entry]);
    return encoded(json as string);
  },
});

export const context = route({
  method: "GET",
  path: "/_matrix/client/v3/rooms/:roomId/context/:eventId",
  access: "session",
  rate: "other",
  query: z.looseObject({ limit: z.coerce.number().int().min(0).optional(), filter: z.string().optional() }),
  async handle({ params, query, session }, ctx) {
    const { reading, entry } = await visibleEvent(ctx, session, params as { roomId: string; eventId: string });
    const filter = eventFilter(query.filter);
    const around = query.limit === 0 ? 0 : pageLimit(query.limit) - 1;
    const matches = matcherOf(filter);
    const before = await walk(reading, {
      direction: "b",
      from: entry.position - 1,
      limit: Math.ceil(around / 2),
      matches,
    });
    const after = await walk(reading, { direction: "f", from: entry.position, limit: Math.floor(around / 2), matches });
    const [main, ...others] = await tell(reading, [entry, ...before.entries, ...after.entries]);
    const last = after.entries.at(-1)?.position ?? entry.position;
    const state = await stateAround(reading, {
      entries: [entry, ...before.entries, ...after.entries],
      last,
      lazy: filter.lazyLoadMembers,
    });
    return encoded(
      `{"event":${main},"events_before":[${others.slice(0, before.entries.length).join(",")}],"events_after":[${others.slice(before.entries.length).join(",")}],` +
        `"state":[${state.join(",")}],"start":"${tokenFor(ctx, (before.entries.at(-1)?.position ?? entry.position) - 1)}","end":"${tokenFor(ctx, last)}"}`,
    );
  },
});

/** The state at the last event; of the members, where the client loads them lazily, those who speak. */
async function stateAround(
  { ctx, room }: Reading,
  { entries, last, lazy }: { entries: readonly LogEntry[]; last: number; lazy: boolean },
): Promise<string[]> {
  const isNow = last >= room.position;
  const state = isNow ? [...room.all()].map((each) => each.entry) : await stateAt(ctx, room.roomId, { position: last });
  const speaking = new Set(entries.map((entry) => entry.userId));
  const wanted = lazy ? state.filter((each) => each.type !== "m.room.member" || speaking.has(each.stateKey)) : state;
  return wanted.map((each) => clientEventInRoom(each));
}
