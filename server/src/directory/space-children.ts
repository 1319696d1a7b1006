/** The children of spaces. Specification: client-server-api, "`m.space.child` relationship". */
import type { Context } from "../context.ts";
import { type Content, type RoomEvent } from "../rooms/rules/event.ts";
import { isRoomId } from "../rooms/rules/identifiers.ts";

export interface Child {
  roomId: string;
  /** The event that makes it a child, as clients get it. */
  event: Pick<RoomEvent, "type" | "state_key" | "content" | "sender" | "origin_server_ts">;
}

/** The children of each space in the order in which they are shown; with `suggested`, only those that are suggested. */
export async function readChildren(
  ctx: Context,
  spaceIds: readonly string[],
  { suggested }: { suggested: boolean },
): Promise<Map<string, Child[]>> {
  if (spaceIds.length === 0) return new Map();
  const rows = await ctx.db.log.query<{ spaceId: string; body: string }>(
    `select s.room_id as "spaceId", e.body from log.state s join log.entries e on e.position = s.position
     where s.room_id = any($1) and s.type = 'm.space.child'`,
    [spaceIds],
  );
  const children = rows.map(({ spaceId, body }) => ({ spaceId, ...childOf(JSON.parse(body) as RoomEvent) }));
  const wanted = children.filter(({ roomId, event }) => {
    const isChild = isRoomId(roomId) && hasVia(event.content);
    return isChild && (!suggested || event.content["suggested"] === true);
  });
  const groups = Map.groupBy(wanted, ({ spaceId }) => spaceId);
  return new Map([...groups].map(([spaceId, of]) => [spaceId, of.toSorted(compareChildren)]));
}

function childOf({ type, state_key = "", content, sender, origin_server_ts }: RoomEvent): Child {
  return { roomId: state_key, event: { type, state_key, content, sender, origin_server_ts } };
}

/** A child without servers to join through was taken out of the space. */
function hasVia({ via }: Content): boolean {
  return Array.isArray(via) && via.length > 0 && via.every((server) => typeof server === "string");
}

/** Specification: "Ordering of children within a space". Exported for its test. */
export function compareChildren(a: Child, b: Child): number {
  const [left, right] = [orderOf(a), orderOf(b)];
  if (left !== right) {
    if (left === undefined) return 1;
    if (right === undefined) return -1;
    return left < right ? -1 : 1;
  }
  const byTime = a.event.origin_server_ts - b.event.origin_server_ts;
  return byTime !== 0 ? byTime : a.roomId < b.roomId ? -1 : 1;
}

function orderOf({ event: { content } }: Child): string | undefined {
  const { order } = content;
  return typeof order === "string" && /^[\x20-\x7E]{1,50}$/.test(order) ? order : undefined;
}
