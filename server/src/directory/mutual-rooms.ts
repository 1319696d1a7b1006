/** `GET /v1/mutual_rooms`. Specification: client-server-api, "Mutual Rooms". */
import { z } from "zod";
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { limits } from "../limits.ts";
import type { Memberships } from "../rooms/cache.ts";
import { isUserId } from "../rooms/rules/identifiers.ts";
import { readPageToken, writePageToken } from "./page-token.ts";

const query = z.looseObject({
  user_id: z.string().refine(isUserId, "must be a user id"),
  from: z.string().optional(),
});

export const mutualRooms = route({
  method: "GET",
  path: "/_matrix/client/v1/mutual_rooms",
  access: "session",
  rate: "other",
  query,
  async handle({ query: { user_id: other, from }, session }, ctx) {
    if (other === session.userId)
      throw matrixError(
        "M_INVALID_PARAM",
        "These are the rooms that you share with somebody else: name another person.",
      );
    const [own, theirs] = await Promise.all([ctx.rooms.memberships(session.userId), ctx.rooms.memberships(other)]);
    const shared = joinedRooms(own).filter((roomId) => theirs.get(roomId)?.membership === "join");
    // The last room of the page before; the rooms are in the order of their ids.
    const after = from === undefined ? "" : readPageToken(z.string(), from, "from");
    const rest = shared.toSorted().filter((roomId) => roomId > after);
    const joined = rest.slice(0, limits.mutualPage_rooms);
    const next = joined.length < rest.length && { next_batch: writePageToken(joined.at(-1)) };
    return { joined, count: shared.length, ...next };
  },
});

function joinedRooms(memberships: Memberships): string[] {
  return [...memberships].filter(([, { membership }]) => membership === "join").map(([roomId]) => roomId);
}
