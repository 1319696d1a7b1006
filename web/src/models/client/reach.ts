/** How far the newest of one's own messages has come: to the server, to everybody's devices, before whose eyes. */
import type { MatrixEvent, ReceiptType, Room } from "matrix-js-sdk";
import type { Person } from "../timeline/item.ts";
import { isMessage } from "./events.ts";
import { personIn } from "./person.ts";
import { isKeptDelivered, keepDelivered } from "./reachStorage.ts";

/** In larger rooms it is not shown: it would be noise, and the server tells no deliveries there. */
const REACH_LIMIT = 20;

/** A receipt type of the server's own, told to the sender alone: a device of that person has the event. */
const DELIVERED = "io.parley.delivered" as ReceiptType;

export interface Reach {
  /** The newest own message. */
  id: string;
  /** A device of every other member has it, or they have read it. */
  delivered: boolean;
  seenBy: Person[];
}

/** The reach of the newest own message among the events; null where there is none, or the room is large. */
export function reachOf(room: Room, events: MatrixEvent[], me: string): Reach | null {
  if (room.getJoinedMemberCount() > REACH_LIMIT) return null;
  const last = events.findLastIndex((event) => event.getSender() === me && !event.status && isMessage(event));
  const id = events[last]?.getId();
  if (!id) return null;
  const readers = new Set(events.slice(last).flatMap((event) => room.getUsersReadUpTo(event)));
  readers.delete(me);
  return {
    id,
    delivered: isDelivered(room, { id, readers, me }),
    seenBy: [...readers].map((user) => personIn(room, user)),
  };
}

function isDelivered(room: Room, { id, readers, me }: { id: string; readers: Set<string>; me: string }): boolean {
  if (isKeptDelivered(room.roomId, id)) return true;
  const others = room.getJoinedMembers().filter(({ userId }) => userId !== me);
  const delivered = others.length > 0 && others.every(({ userId }) => readers.has(userId) || has(room, userId, id));
  if (delivered) keepDelivered(room.roomId, id);
  return delivered;
}

/** Whether a device of the person has the event, or one that stands after it. */
function has(room: Room, userId: string, id: string): boolean {
  const newest = room.getReadReceiptForUserId(userId, true, DELIVERED)?.eventId;
  if (newest === undefined) return false;
  return newest === id || (room.getUnfilteredTimelineSet().compareEventOrdering(newest, id) ?? -1) > 0;
}
