/** What somebody who is invited to a room, or knocks, may know of it. Specification: client-server-api, "Stripped state". */
import type { RoomState } from "../rooms/state.ts";
import { strippedEvent } from "./client-event.ts";

const STRIPPED_TYPES = [
  "m.room.create",
  "m.room.name",
  "m.room.avatar",
  "m.room.topic",
  "m.room.join_rules",
  "m.room.canonical_alias",
  "m.room.encryption",
];

/** The JSON of each event, for this person. */
export function strippedState(room: RoomState, userId: string): string[] {
  const own = room.get("m.room.member", userId);
  const inviter = own && room.get("m.room.member", own.sender);
  const events = [...STRIPPED_TYPES.map((type) => room.get(type)), inviter === own ? undefined : inviter, own];
  return events.filter((event) => event !== undefined).map((event) => strippedEvent(event.entry));
}
