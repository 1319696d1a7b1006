import type { RoomEvent } from "./event.ts";

/** The room versions whose rules this server keeps. Rooms of any other version are refused. */
export const supportedRoomVersions = ["11", "12"] as const;

export type RoomVersionId = (typeof supportedRoomVersions)[number];

/** The version of a new room when the client names none. Specification: rooms, "Complete list of room versions". */
export const defaultRoomVersion: RoomVersionId = "12";

/** In what the supported versions differ: everything else in this folder is the same for all of them. */
export interface RoomVersion {
  readonly id: RoomVersionId;
  /** Creators have infinite power, may be several (`additional_creators`), and may not appear among the `users`. */
  readonly privilegedCreators: boolean;
  /** The room id is the id of the create event with `!` for `$`; otherwise it carries the server's name. */
  readonly roomIdFromCreate: boolean;
}

const VERSION_11: RoomVersion = { id: "11", privilegedCreators: false, roomIdFromCreate: false };
const VERSION_12: RoomVersion = { id: "12", privilegedCreators: true, roomIdFromCreate: true };

/** The rules for a version id, or undefined when this server does not support it. */
export function roomVersion(id: unknown): RoomVersion | undefined {
  if (id === "12") return VERSION_12;
  return id === "11" ? VERSION_11 : undefined;
}

/** The version that a create event names. One that names none means version 1, which is not supported. */
export function versionOf(create: RoomEvent): RoomVersion | undefined {
  return roomVersion(create.content.room_version);
}

/** The room id that follows from the id of a create event. Specification: room version 12, "Event format". */
export function roomIdFromCreate(createEventId: string): string {
  return `!${createEventId.slice(1)}`;
}
