/** The entries of the log that say whose keys are to be asked for again, and who is told. */
import { limits } from "../limits.ts";
import type { LogEntry } from "../log/entry.ts";
import type { RoomState } from "../rooms/state.ts";

/**
 * Whether an entry of the kind `device_list` concerns this reader. Those of the type `changed` concern everybody; one of the type
 * `signed` tells of a signature that nobody but its maker may see, so it is for their other devices alone.
 */
export function tellsOfKeys(entry: Pick<LogEntry, "type" | "body">, readerId: string): boolean {
  return entry.type !== "signed" || (JSON.parse(entry.body) as { by: string }).by === readerId;
}

/**
 * Whether the members of a room are told of each other's keys. The specification asks for it where there is encryption; clients and
 * suites expect it of any room. To everybody in a large room without encryption it would be a long list that nobody uses.
 */
export function isAboutKeys(room: RoomState): boolean {
  return room.joinedCount <= limits.keysWithoutEncryption_members || room.get("m.room.encryption") !== undefined;
}
