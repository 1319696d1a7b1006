/** Events of the log as push rules look at them, prepared once for all members of their room. */
import { LRUCache } from "lru-cache";
import { atMost } from "../bounded.ts";
import { limits } from "../limits.ts";
import type { LogEntry } from "../log/entry.ts";
import { levelsOf, powerOf } from "../rooms/rules/power.ts";
import { contentOf, type RoomState } from "../rooms/state.ts";
import { prepareEvent, type PushEvent, type PushRoom } from "./rules/event.ts";

/** The members of a room ask within a moment of each other. Kept for as long as the entry it would be most of what the tail takes. */
const prepared = new LRUCache<LogEntry, PushEvent>(atMost(limits.pushPrepared_events));

/** The event in its room. */
export function preparedOf(entry: LogEntry, room: RoomState): PushEvent {
  const known = prepared.get(entry);
  if (known) return known;
  const raw = {
    type: entry.type as string,
    sender: entry.userId as string,
    room_id: room.roomId,
    content: contentOf(entry),
  };
  const event = prepareEvent(entry.stateKey === null ? raw : { ...raw, state_key: entry.stateKey }, pushRoom(room));
  prepared.set(entry, event);
  return event;
}

function pushRoom(room: RoomState): PushRoom {
  return {
    memberCount: room.joinedCount,
    powerLevelOf: (userId: string) => powerOf(room, userId),
    notificationLevels: levelsOf(room)["notifications"],
    displayNameOf: (userId: string) => displayNameIn(room, userId),
  };
}

/** The member's name in the room, or undefined where they have none. */
export function displayNameIn(room: RoomState, userId: string): string | undefined {
  const name = room.get("m.room.member", userId)?.content["displayname"];
  return typeof name === "string" ? name : undefined;
}

/**
 * Whether its sender has read its thread up to here: who says something is as one who sent a receipt. State is not among it: much of
 * it is sent by apps by themselves, such as memberships that follow a profile, or of calls. Specification: "Marking notifications as read".
 */
export function readsItsThread(entry: LogEntry): boolean {
  return entry.kind === "event" && entry.stateKey === null;
}
