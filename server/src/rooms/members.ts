/** `GET /rooms/{roomId}/members` and `/joined_members`. Specification: client-server-api, "Getting events for a room". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { encoded, route } from "../http.ts";
import type { LogEntry } from "../log/entry.ts";
import { parseToken } from "../log/token.ts";
import { clientEventInRoom } from "../messages/client-event.ts";
import { isWorldReadable, type ReadAccess, readableRoom } from "./access.ts";
import { stateAt } from "./history.ts";
import { contentOf, type RoomState } from "./state.ts";

const MEMBER = "m.room.member";
const membership = z.enum(["join", "invite", "knock", "leave", "ban"]).optional();

export const members = route({
  method: "GET",
  path: "/_matrix/client/v3/rooms/:roomId/members",
  access: "session",
  rate: "other",
  query: z.looseObject({ at: z.string().optional(), membership, not_membership: membership }),
  async handle({ params, query, session }, ctx) {
    const { room, access } = await readableRoom(ctx, params["roomId"] as string, session.userId);
    const entries = await memberEntries(ctx, room, await momentOf(ctx, query.at, access));
    const isFiltered = query.membership !== undefined || query.not_membership !== undefined;
    const wanted = isFiltered ? entries.filter((entry) => isWanted(membershipIn(room, entry), query)) : entries;
    const chunk = wanted.map((entry) => clientEventInRoom(entry, { sessionId: session.id }));
    return encoded(`{"chunk":[${chunk.join(",")}]}`);
  },
});

/** The position to look at: that of the token, but never behind the person's leave. Undefined means now. */
async function momentOf(ctx: Context, at: string | undefined, { upTo }: ReadAccess): Promise<number | undefined> {
  const token = at === undefined ? undefined : parseToken(at, "at");
  // A token of another epoch stands in a history that is no longer this one.
  const position = token && (await ctx.log.holdsNow(token)) ? token.position : undefined;
  return position === undefined || upTo === undefined ? (position ?? upTo) : Math.min(position, upTo);
}

function memberEntries(ctx: Context, room: RoomState, position: number | undefined): Promise<LogEntry[]> | LogEntry[] {
  // Nothing changed after the newest state event, so any later moment is as good as now.
  if (position !== undefined && position < room.position)
    return stateAt(ctx, room.roomId, { position: Math.max(position, beginningOf(room)), type: MEMBER });
  return [...room.ofType(MEMBER).values()].map((event) => event.entry);
}

/** Where the creator is in the room. The token before the first event, with which a first sync begins, means this moment. */
function beginningOf(room: RoomState): number {
  return (room.get("m.room.create")?.position ?? 0) + 1;
}

/** What the event made of its person; of a current event the room knows it without parsing. */
function membershipIn(room: RoomState, entry: LogEntry): unknown {
  const userId = entry.stateKey as string;
  return room.memberPosition(userId) === entry.position ? room.membership(userId) : contentOf(entry)["membership"];
}

interface Filter {
  membership?: string | undefined;
  not_membership?: string | undefined;
}

/** Of two conditions, either suffices. */
function isWanted(value: unknown, { membership, not_membership }: Filter): boolean {
  return value === membership || (not_membership !== undefined && value !== not_membership);
}

export const joinedMembers = route({
  method: "GET",
  path: "/_matrix/client/v3/rooms/:roomId/joined_members",
  access: "session",
  rate: "other",
  async handle({ params, session }, ctx) {
    const room = await ctx.rooms.find(params["roomId"] as string);
    // Of a room that anyone may read they are in its state already; previews ask for them here.
    if (!room || (room.membership(session.userId) !== "join" && !isWorldReadable(room)))
      throw matrixError("M_FORBIDDEN", "You are not in this room.");
    const joined: Record<string, object> = Object.create(null) as Record<string, object>;
    for (const userId of room.joined()) joined[userId] = profileIn(room, userId);
    return { joined };
  },
});

/** What somebody does not have is null: clients and suites ask for both members of everybody. */
function profileIn(room: RoomState, userId: string): { display_name: string | null; avatar_url: string | null } {
  const entry = room.get(MEMBER, userId)?.entry;
  const { displayname, avatar_url } = entry ? contentOf(entry) : {};
  return {
    display_name: typeof displayname === "string" ? displayname : null,
    avatar_url: typeof avatar_url === "string" ? avatar_url : null,
  };
}
