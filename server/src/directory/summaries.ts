/**
 * What is told of rooms to people who may not be in them: names, topics, sizes. It is read from the log for many rooms at
 * once, not from the rooms in memory, because those bring all their members along.
 * Specification: client-server-api, "RoomSummary" and "PublishedRoomsChunk".
 */
import type { Context } from "../context.ts";
import type { Memberships } from "../rooms/cache.ts";
import { type Content, isObject, type RoomEvent, type RoomStateView, stateMap } from "../rooms/rules/event.ts";
import { isRoomAlias } from "../rooms/rules/identifiers.ts";
import { allowedRooms, isRestricted, joinRuleOf, mayBeKnockedOn } from "../rooms/rules/join-rules.ts";

/** The state that summaries are made of, each with an empty state key. */
export const SUMMARY_TYPES = [
  "m.room.create",
  "m.room.name",
  "m.room.topic",
  "m.room.avatar",
  "m.room.canonical_alias",
  "m.room.join_rules",
  "m.room.history_visibility",
  "m.room.guest_access",
  "m.room.encryption",
];

/** The one algorithm that the specification knows for rooms. */
const MEGOLM = "m.megolm.v1.aes-sha2";

/** What a summary needs of each room, by room id; rooms that do not exist are not in it. */
export async function readStates(ctx: Context, roomIds: readonly string[]): Promise<Map<string, RoomStateView>> {
  const rows = await ctx.db.log.query<{ roomId: string; body: string }>(
    `select s.room_id as "roomId", e.body from log.state s join log.entries e on e.position = s.position
     where s.room_id = any($1) and s.type = any($2) and s.state_key = ''`,
    [roomIds, SUMMARY_TYPES],
  );
  const groups = Map.groupBy(rows, (row) => row.roomId);
  return new Map(
    [...groups].map(([roomId, of]) => [roomId, stateMap(of.map(({ body }) => JSON.parse(body) as RoomEvent))]),
  );
}

/** How many people are joined to each of the rooms; a room without any may be left out. */
export async function readSizes(ctx: Context, roomIds: readonly string[]): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const roomId of roomIds) {
    const room = ctx.rooms.peek(roomId);
    if (room) sizes.set(roomId, room.joinedCount);
  }
  const others = roomIds.filter((roomId) => !sizes.has(roomId));
  if (others.length === 0) return sizes;
  const rows = await ctx.db.log.query<{ room_id: string; joined: number }>(
    `select room_id, count(*) as joined from log.members
     where room_id = any($1) and membership = 'join' group by room_id`,
    [others],
  );
  for (const { room_id, joined } of rows) sizes.set(room_id, joined);
  return sizes;
}

/** A room's entry in the published directory, but for the number of its members. */
export function publicEntry(roomId: string, state: RoomStateView): Record<string, unknown> {
  const type = roomTypeOf(state);
  const alias = contentOf(state, "m.room.canonical_alias")["alias"];
  const avatar = contentOf(state, "m.room.avatar")["url"];
  const name = nameOf(state);
  const topic = topicOf(state);
  return {
    room_id: roomId,
    world_readable: isWorldReadable(state),
    guest_can_join: contentOf(state, "m.room.guest_access")["guest_access"] === "can_join",
    join_rule: joinRuleOf(state),
    ...(name !== "" && { name }),
    ...(topic !== "" && { topic }),
    ...(isRoomAlias(alias) && { canonical_alias: alias }),
    ...(typeof avatar === "string" && avatar.startsWith("mxc://") && { avatar_url: avatar }),
    ...(type !== "" && { room_type: type }),
  };
}

/** The summary of a room with `joined` members. */
export function summaryOf(
  roomId: string,
  { state, joined }: { state: RoomStateView; joined: number },
): Record<string, unknown> {
  const { room_version } = contentOf(state, "m.room.create");
  const isEncrypted = contentOf(state, "m.room.encryption")["algorithm"] === MEGOLM;
  const allowed = allowedRooms(state);
  return {
    ...publicEntry(roomId, state),
    num_joined_members: joined,
    room_version,
    ...(isEncrypted && { encryption: MEGOLM }),
    ...(allowed.length > 0 && { allowed_room_ids: allowed }),
  };
}

/**
 * Whether a person with these memberships may know of the room: they are in it or invited, anyone may read it, or they could
 * join or ask to. Specification: `GET /rooms/{roomId}/hierarchy`, "rooms".
 */
export function mayKnowOf(roomId: string, state: RoomStateView, memberships: Memberships): boolean {
  const membership = memberships.get(roomId)?.membership;
  if (membership === "join" || membership === "invite" || isWorldReadable(state)) return true;
  if (membership === "ban") return false;
  if (joinRuleOf(state) === "public" || mayBeKnockedOn(state)) return true;
  return isRestricted(state) && allowedRooms(state).some((each) => memberships.get(each)?.membership === "join");
}

export function isWorldReadable(state: RoomStateView): boolean {
  return contentOf(state, "m.room.history_visibility")["history_visibility"] === "world_readable";
}

/** The room's type, '' for none. */
export function roomTypeOf(state: RoomStateView): string {
  const { type } = contentOf(state, "m.room.create");
  return typeof type === "string" ? type : "";
}

/** The room's name, '' for none. */
export function nameOf(state: RoomStateView): string {
  const { name } = contentOf(state, "m.room.name");
  return typeof name === "string" ? name : "";
}

/** The topic in plain text, '' for none. Specification: `m.room.topic`. */
export function topicOf(state: RoomStateView): string {
  const { topic, "m.topic": block } = contentOf(state, "m.room.topic");
  const texts: unknown = isObject(block) ? block["m.text"] : undefined;
  const plain = Array.isArray(texts) ? texts.find(isPlainText) : undefined;
  const text: unknown = isObject(plain) ? plain["body"] : topic;
  return typeof text === "string" ? text : "";
}

function isPlainText(value: unknown): boolean {
  return isObject(value) && (value["mimetype"] ?? "text/plain") === "text/plain";
}

const NOTHING: Content = {};

function contentOf(state: RoomStateView, type: string): Content {
  return state.get(type, "")?.content ?? NOTHING;
}
