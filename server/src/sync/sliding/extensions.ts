/** The extensions of an answer that are about rooms: account data, receipts and typing. MSC3959, MSC3960, MSC3961. */
import { pushRulesContent } from "../../push/stored-rules.ts";
import { isOwnReceipt, type LogEntry } from "../../log/entry.ts";
import { receiptsJson } from "../receipts.ts";
import type { Told } from "./e2ee.ts";
import type { Shown } from "./lists.ts";
import {
  type AccountDataRow,
  readAccountDataOfRooms,
  readReceiptsFor,
  readReceiptsOf,
  type RoomStretch,
} from "./queries.ts";
import type { Scope } from "./request.ts";
import type { ToldRoom } from "./room.ts";
import { isInMemory, type Slide } from "./slide.ts";
import { LIVE, toldUpTo } from "./state.ts";

/** An extension's part of the answer, and the rooms of which the client then has everything that it is about. */
export interface RoomsTold extends Told {
  told: string[];
}

/** The rooms of the answer that the extension is asked to be about. */
function roomsIn({ lists, rooms }: Shown, scope: Scope): string[] {
  if (scope.lists.includes("*") && scope.rooms.includes("*")) return [...rooms.keys()];
  const wanted = new Set<string>();
  const isListed = (name: string) => scope.lists.includes("*") || scope.lists.includes(name);
  for (const list of lists)
    if (isListed(list.name)) for (const { roomIds } of list.windows) for (const roomId of roomIds) wanted.add(roomId);
  for (const [roomId, { isSubscribed }] of rooms)
    if (isSubscribed && (scope.rooms.includes("*") || scope.rooms.includes(roomId))) wanted.add(roomId);
  return [...wanted];
}

/** Global account data, and that of rooms: what changed, and all of it for a client or a room that is new. */
export async function accountDataExtension(slide: Slide, shown: Shown, scope: Scope): Promise<RoomsTold> {
  const { ctx, since, state, ask } = slide;
  const { userId } = ask.session;
  const isNear = slide.moved !== undefined;
  const isLive = (roomId: string) => isNear && state.get(roomId)?.accountData === LIVE;
  // In a frame all of the rooms are live.
  const rooms = slide.frame ? [] : roomsIn(shown, scope);
  const asked = rooms
    .filter((roomId) => !isLive(roomId))
    .map((roomId) => ({ roomId, after: toldUpTo(state.get(roomId)?.accountData, since ?? 0) ?? 0 }));
  const rows = await readAccountDataOfRooms(ctx, userId, [
    ...asked,
    ...(isNear ? [] : [{ roomId: "", after: since ?? 0 }]),
  ]);
  const changes = isNear ? changesIn(slide.own) : [];
  const inScope = changes.length === 0 || slide.frame ? undefined : new Set(rooms);
  const isTold = ({ roomId }: AccountDataRow) => roomId === "" || (isLive(roomId) && (inScope?.has(roomId) ?? true));
  const all = [...rows, ...changes.filter(isTold)];
  const byRoom = Map.groupBy(all, ({ roomId }) => roomId);
  const global = newestOf(byRoom.get("") ?? []);
  // Everybody has push rules, also those who never changed any.
  const rules = global.get("m.push_rules");
  if (rules !== undefined || since === undefined) global.set("m.push_rules", pushRulesContent(rules, userId));
  byRoom.delete("");
  const perRoom = [...byRoom].map(([roomId, each]) => `${JSON.stringify(roomId)}:[${eventsJson(newestOf(each))}]`);
  return {
    json: `{"global":[${eventsJson(global)}],"rooms":{${perRoom.join(",")}}}`,
    hasNews: global.size > 0 || perRoom.length > 0,
    told: rooms,
  };
}

function changesIn(own: readonly LogEntry[]): AccountDataRow[] {
  return own
    .filter(({ kind }) => kind === "account_data")
    .map(({ roomId, type, body }) => ({ roomId: roomId ?? "", type: type as string, content: body }));
}

function newestOf(rows: readonly AccountDataRow[]): Map<string, string> {
  return new Map(rows.map(({ type, content }) => [type, content]));
}

function eventsJson(byType: ReadonlyMap<string, string>): string {
  return [...byType].map(([type, content]) => `{"type":${JSON.stringify(type)},"content":${content}}`).join(",");
}

/**
 * Receipts of rooms that the person is in. Of one that is told anew those for the events that are shown, and the person's own: a large
 * room has thousands of others. `rooms` are those that the answer tells.
 */
export async function receiptsExtension(
  slide: Slide,
  shown: Shown,
  { scope, rooms }: { scope: Scope; rooms: ReadonlyMap<string, ToldRoom> },
): Promise<RoomsTold> {
  const { ctx, since, state, upTo, ask } = slide;
  const { userId } = ask.session;
  const isJoined = (roomId: string) => slide.memberships.get(roomId)?.membership === "join";
  const joined = receiptRooms(slide, shown, scope).filter(isJoined);
  const fresh: string[] = [];
  const stretches: RoomStretch[] = [];
  for (const roomId of joined) {
    const position = state.get(roomId)?.receipts;
    // Mostly nothing has happened in a room.
    const isQuiet = position === LIVE && slide.moved?.has(roomId) === false;
    if (isQuiet && !rooms.get(roomId)?.isRenewed) continue;
    const after = toldUpTo(position, since ?? 0);
    if (since === undefined || after === undefined || rooms.get(roomId)?.isRenewed) fresh.push(roomId);
    else stretches.push({ roomId, after, upTo });
  }
  const near = stretches.filter(({ after }) => isInMemory(slide, after));
  const eventIds = fresh.flatMap((roomId) => rooms.get(roomId)?.timeline.map(({ eventId }) => eventId as string) ?? []);
  const found = await Promise.all([
    readReceiptsFor(ctx, { userId, roomIds: fresh, eventIds, upTo }),
    readReceiptsOf(
      ctx,
      userId,
      stretches.filter((stretch) => !near.includes(stretch)),
    ),
  ]);
  const receipts = [...found.flat(), ...near.flatMap((stretch) => receiptsInMemory(slide, stretch))];
  const perRoom = [...Map.groupBy(receipts, ({ roomId }) => roomId as string)].map(
    ([roomId, each]) => `${JSON.stringify(roomId)}:${receiptsJson(each)}`,
  );
  return { json: `{"rooms":{${perRoom.join(",")}}}`, hasNews: perRoom.length > 0, told: joined };
}

/** In a frame, where all of the rooms are live, those in which something happened. */
function receiptRooms({ frame, moved, state }: Slide, shown: Shown, scope: Scope): string[] {
  if (!frame || !moved) return roomsIn(shown, scope);
  return [...moved].filter((roomId) => state.get(roomId)?.receipts === LIVE);
}

function receiptsInMemory({ ctx, ask }: Slide, { roomId, after, upTo }: RoomStretch): LogEntry[] {
  const isForReader = (entry: LogEntry) => !isOwnReceipt(entry) || entry.userId === ask.session.userId;
  return ctx.log.tail
    .ofRoom(roomId, after)
    .filter((entry) => entry.kind === "receipt" && entry.position <= upTo && isForReader(entry));
}

/** Who types in the rooms that the person is in, where that changed. */
export function typingExtension({ ctx, seen, since, memberships }: Slide, shown: Shown, scope: Scope): Told {
  const perRoom: string[] = [];
  const hasChanged = ctx.ephemeral.clock() > seen;
  for (const roomId of hasChanged ? roomsIn(shown, scope) : []) {
    if (memberships.get(roomId)?.membership !== "join") continue;
    const typing = ctx.ephemeral.typing(roomId);
    if (!typing || typing.changed <= seen || (typing.users.length === 0 && since === undefined)) continue;
    const event = { type: "m.typing", content: { user_ids: typing.users } };
    perRoom.push(`${JSON.stringify(roomId)}:${JSON.stringify(event)}`);
  }
  return { json: `{"rooms":{${perRoom.join(",")}}}`, hasNews: perRoom.length > 0 };
}
