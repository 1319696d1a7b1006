/** `GET /rooms/{roomId}/messages`. Specification: client-server-api, "Getting events for a room". */
import { z } from "zod";
import { matrixError } from "../errors.ts";
import { encoded, route, validate } from "../http.ts";
import { limits } from "../limits.ts";
import type { LogEntry } from "../log/entry.ts";
import { readableRoom } from "../rooms/access.ts";
import type { RoomState } from "../rooms/state.ts";
import { type CompiledRoomEventFilter, compileRoomEventFilter, roomEventFilterSchema } from "../sync/filter.ts";
import { clientEventInRoom } from "./client-event.ts";
import { pageLimit, positionOf, type Reading, tell, tokenFor, walk } from "./page.ts";

const query = z.looseObject({
  dir: z.enum(["b", "f"]),
  from: z.string().optional(),
  to: z.string().optional(),
  limit: z.coerce.number().int().min(0).optional(),
  filter: z.string().optional(),
});

export const history = route({
  method: "GET",
  path: "/_matrix/client/v3/rooms/:roomId/messages",
  access: "session",
  rate: "other",
  query,
  async handle({ params, query: asked, session }, ctx) {
    const { room, access } = await readableRoom(ctx, params["roomId"] as string, session.userId);
    const reading: Reading = { ctx, room, access, session };
    const filter = eventFilter(asked.filter);
    const from =
      asked.from === undefined ? (asked.dir === "b" ? ctx.log.hub.head() : 0) : positionOf(ctx, asked.from, "from");
    const to = asked.to === undefined ? undefined : positionOf(ctx, asked.to, "to");
    const limit = pageLimit(Math.min(asked.limit ?? limits.defaultPage_events, filter.limit ?? Infinity));
    const page = await walk(reading, { direction: asked.dir, from, to, limit, matches: matcherOf(filter) });
    const chunk = await tell(reading, page.entries);
    const end = page.next === undefined ? "" : `,"end":"${tokenFor(ctx, page.next)}"`;
    const state = filter.lazyLoadMembers ? `,"state":[${speakers(room, page.entries).join(",")}]` : "";
    return encoded(`{"start":"${asked.from ?? tokenFor(ctx, from)}","chunk":[${chunk.join(",")}]${state}${end}}`);
  },
});

/** The filter of a query parameter: JSON. Throws M_INVALID_PARAM. */
export function eventFilter(text: string | undefined): CompiledRoomEventFilter {
  if (text === undefined) return compileRoomEventFilter();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw matrixError("M_INVALID_PARAM", "The filter is not JSON.");
  }
  return compileRoomEventFilter(validate(roomEventFilterSchema, json, "query"));
}

/** What a filter lets through. */
export function matcherOf({ matches }: CompiledRoomEventFilter): ((entry: LogEntry) => boolean) | undefined {
  return matches && ((entry) => matches(entry));
}

/** The membership events of whoever speaks in these events. Specification: "Lazy-loading room members". */
export function speakers(room: RoomState, entries: readonly LogEntry[]): string[] {
  const users = new Set(entries.map((entry) => entry.userId as string));
  const members = [...users].map((userId) => room.get("m.room.member", userId)?.entry);
  return members.filter((entry) => entry !== undefined).map((entry) => clientEventInRoom(entry));
}
