import { EventType, type MatrixClient } from "matrix-js-sdk";

/** `m.direct` of the account: people, and the rooms in which one talks with them (Matrix spec, "Direct Messaging"). */
export type DirectMap = Record<string, string[]>;

export function readDirect(client: MatrixClient): DirectMap {
  const content: Record<string, unknown> = client.getAccountData(EventType.Direct)?.getContent() ?? {};
  const isRooms = (entry: [string, unknown]): entry is [string, string[]] => Array.isArray(entry[1]);
  return Object.fromEntries(Object.entries(content).filter(isRooms));
}

/** The ids of all direct rooms. */
export function directRooms(client: MatrixClient): Set<string> {
  return new Set(Object.values(readDirect(client)).flat());
}

/** With whom one talks directly in the room; null for a channel. */
export function peopleOf(client: MatrixClient, roomId: string): string[] | null {
  const people = Object.entries(readDirect(client)).flatMap(([person, rooms]) =>
    rooms.includes(roomId) ? [person] : [],
  );
  return people.length === 0 ? null : people;
}

/** Marks the room as direct with these people, on all own devices. */
export async function addDirect(client: MatrixClient, roomId: string, people: string[]): Promise<void> {
  const direct = readDirect(client);
  const next = { ...direct };
  for (const person of people) next[person] = [...new Set([...(next[person] ?? []), roomId])];
  await client.setAccountData(EventType.Direct, next);
}

/** Forgets a room that was left. */
export async function dropDirect(client: MatrixClient, roomId: string): Promise<void> {
  const direct = readDirect(client);
  if (!Object.values(direct).some((rooms) => rooms.includes(roomId))) return;
  const next = Object.fromEntries(
    Object.entries(direct)
      .map(([person, rooms]) => [person, rooms.filter((id) => id !== roomId)] as const)
      .filter(([, rooms]) => rooms.length > 0),
  );
  await client.setAccountData(EventType.Direct, next);
}
