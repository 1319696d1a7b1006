/** `GET /rooms/{roomId}/context/{eventId}`. Specification: client-server-api, "Event Context". */
import { z } from "zod";
import { encoded, route } from "../http.ts";
import { limits } from "../limits.ts";
import type { LogEntry } from "../log/entry.ts";
import { stateAt } from "../rooms/history.ts";
import { clientEventInRoom } from "./client-event.ts";
import { eventFilter, matcherOf } from "./event-filter.ts";
import { pageLimit, tell, walk } from "./page.ts";
import { type RelatedBy, relatedByOf } from "./related.ts";
import { type Reading, tokenFor, visibleEvent } from "./reading.ts";

export const context = route({
  method: "GET",
  path: "/_matrix/client/v3/rooms/:roomId/context/:eventId",
  access: "session",
  rate: "other",
  query: z.looseObject({ limit: z.coerce.number().int().min(0).optional(), filter: z.string().optional() }),
  async handle({ params, query, session }, ctx) {
    const { reading, entry } = await visibleEvent(ctx, session, params as { roomId: string; eventId: string });
    const filter = eventFilter(query.filter);
    const limit = pageLimit(Math.min(query.limit ?? limits.defaultPage_events, filter.limit ?? Infinity));
    const wanted = { limit, matches: matcherOf(filter), relatedBy: relatedByOf(filter) };
    const { before, after } = await readAround(reading, entry, wanted);
    const events = [...before, ...after, entry];
    const last = after.at(-1) ?? entry;
    const state = await stateOf(reading, { at: last.position, speakers: filter.lazyLoadMembers ? events : undefined });
    const told = await tell(reading, events);
    const shown = state.filter((each) => filter.matches?.(each) ?? true).map((each) => clientEventInRoom(each));
    const first = before.at(-1) ?? entry;
    return encoded(
      `{"event":${told.at(-1)},"events_before":[${told.slice(0, before.length).join(",")}],` +
        `"events_after":[${told.slice(before.length, -1).join(",")}],"state":[${shown.join(",")}],` +
        `"start":"${tokenFor(ctx, first.position - 1)}","end":"${tokenFor(ctx, last.position)}"}`,
    );
  },
});

interface Around {
  limit: number;
  matches: ((entry: LogEntry) => boolean) | undefined;
  relatedBy: RelatedBy;
}

/** The events on both sides; the limit is that of both together, and the odd one comes after, as suites and clients know it. */
async function readAround(
  reading: Reading,
  { position }: LogEntry,
  { limit, ...wanted }: Around,
): Promise<{ before: LogEntry[]; after: LogEntry[] }> {
  const [before, after] = await Promise.all([
    walk(reading, { direction: "b", from: position - 1, limit: Math.floor(limit / 2), ...wanted }),
    walk(reading, { direction: "f", from: position, limit: Math.ceil(limit / 2), ...wanted }),
  ]);
  return { before: before.entries, after: after.entries };
}

/** The room's state at a position; of its members only those who speak, where these are given. */
async function stateOf(
  { ctx, room }: Reading,
  { at, speakers }: { at: number; speakers: readonly LogEntry[] | undefined },
): Promise<LogEntry[]> {
  // Nothing changed after the newest state event, so any later moment is as good as now.
  const isNow = at >= room.position;
  const state = isNow ? [...room.all()].map((each) => each.entry) : await stateAt(ctx, room.roomId, { position: at });
  if (!speakers) return state;
  const speaking = new Set(speakers.map((entry) => entry.userId));
  return state.filter((each) => each.type !== "m.room.member" || speaking.has(each.stateKey));
}
