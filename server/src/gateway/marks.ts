/**
 * What has happened since the last round, and whom it may concern. A mark says at which position something stands, so that a
 * client which knows it already is left alone.
 */
import { isOwnReceipt, type LogEntry } from "../log/entry.ts";

export interface Marks {
  /** Rooms with news, by the position of the newest entry that can not be told to all alike; 0 where there is none. */
  rooms: Map<string, number>;
  /** People with news of their own. */
  users: Map<string, number>;
  /** Whose devices or keys changed: it concerns those who share a room with them. */
  devices: Map<string, number>;
  /** Whose presence changed. */
  presence: Set<string>;
}

export function createMarks(): Marks {
  return { rooms: new Map(), users: new Map(), devices: new Map(), presence: new Set() };
}

/** Notes an entry of the log. */
export function markEntry(marks: Marks, entry: LogEntry): void {
  const { kind, position, roomId, userId } = entry;
  // Clients are not told what left the log.
  if (kind === "removal") return;
  if (kind === "device_list") marks.devices.set(userId as string, position);
  else if (isOwnReceipt(entry)) marks.users.set(userId as string, position);
  else if (kind === "event" || kind === "receipt") markRoom(marks, roomId as string, entry);
  else marks.users.set(userId as string, position);
}

/** State is told to each client by itself: which of it is new depends on what the client has. */
function markRoom({ rooms, users }: Marks, roomId: string, { position, type, stateKey, kind }: LogEntry): void {
  const isState = kind === "event" && stateKey !== null;
  if (isState) rooms.set(roomId, position);
  else if (!rooms.has(roomId)) rooms.set(roomId, 0);
  if (isState && type === "m.room.member") users.set(stateKey, position);
}
