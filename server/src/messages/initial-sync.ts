/** `GET /rooms/{roomId}/initialSync`: a room at one glance, as old clients ask for it. Specification: client-server-api, "Old-style endpoints". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { isPublished } from "../directory/visibility.ts";
import { encoded, route } from "../http.ts";
import { readAccountData } from "../log/queries.ts";
import { presenceContent } from "../presence/content.ts";
import { readableRoom } from "../rooms/access.ts";
import { stateAt } from "../rooms/history.ts";
import type { RoomState } from "../rooms/state.ts";
import { readReceipts } from "../sync/gather.ts";
import { receiptEvents } from "../sync/receipts.ts";
import { clientEventInRoom } from "./client-event.ts";
import { pageLimit, tell, walk } from "./page.ts";
import { readingIn, tokenFor } from "./reading.ts";

export const roomInitialSync = route({
  method: "GET",
  path: "/_matrix/client/v3/rooms/:roomId/initialSync",
  access: "session",
  rate: "other",
  query: z.looseObject({ limit: z.coerce.number().int().min(0).optional() }),
  async handle({ params, query, session }, ctx) {
    const { room, access } = await readableRoom(ctx, params["roomId"] as string, session.userId);
    const end = access.upTo ?? ctx.log.hub.head();
    const reading = await readingIn(ctx, room, session);
    const page = await walk(reading, { direction: "b", from: end, limit: pageLimit(query.limit) });
    const chunk = (await tell(reading, page.entries)).toReversed();
    const entries =
      access.upTo === undefined
        ? [...room.all()].map(({ entry }) => entry)
        : await stateAt(ctx, room.roomId, { position: access.upTo });
    const state = entries.map((entry) => clientEventInRoom(entry, { sessionId: session.id }));
    const membership = room.membership(session.userId);
    const start = page.next === undefined ? "" : `"start":"${tokenFor(ctx, page.next)}",`;
    return encoded(
      `{"room_id":${JSON.stringify(room.roomId)},` +
        (membership === undefined || membership === "knock" ? "" : `"membership":"${membership}",`) +
        `"messages":{${start}"end":"${tokenFor(ctx, end)}","chunk":[${chunk.join(",")}]},"state":[${state.join(",")}],` +
        `"visibility":"${(await isPublished(ctx, room.roomId)) ? "public" : "private"}",` +
        `"account_data":[${(await accountDataOf(ctx, session.userId, room.roomId)).join(",")}],` +
        (membership === "join" ? await amongMembers(ctx, room, session.userId) : `"presence":[],"receipts":[]`) +
        "}",
    );
  },
});

async function accountDataOf(ctx: Context, userId: string, roomId: string): Promise<string[]> {
  const all = await readAccountData(ctx.db.log, userId, 0);
  return all
    .filter((each) => each.roomId === roomId)
    .map(({ type, content }) => `{"type":${JSON.stringify(type)},"content":${content}}`);
}

/** What members see of each other. The specification does not name it here; clients of the time look for it, and so do suites. */
async function amongMembers(ctx: Context, room: RoomState, userId: string): Promise<string> {
  const presence = [...room.joined()].flatMap((sender) => {
    const now = ctx.ephemeral.presence(sender);
    if (!now || now.state === "offline") return [];
    const content = { user_id: sender, ...presenceContent(now, ctx.seams.now_ms()) };
    return JSON.stringify({ type: "m.presence", sender, content });
  });
  const upTo = ctx.log.hub.head();
  const receipts = await readReceipts(ctx, { since: 0, upTo }, { rooms: new Map([[room.roomId, upTo]]), userId });
  const told = receiptEvents(receipts).map((json) => `{"room_id":${JSON.stringify(room.roomId)},${json.slice(1)}`);
  return `"presence":[${presence.join(",")}],"receipts":[${told.join(",")}]`;
}
