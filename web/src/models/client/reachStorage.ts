/** Which message of each room is known to be delivered. The store of the SDK forgets receipts of types that it does not know. */
const PREFIX = "parley.delivered.";

/** Keeps that the room's newest own message is delivered. */
export function keepDelivered(roomId: string, eventId: string): void {
  localStorage.setItem(PREFIX + roomId, eventId);
}

export function isKeptDelivered(roomId: string, eventId: string): boolean {
  return localStorage.getItem(PREFIX + roomId) === eventId;
}

/** Forgets all of it, with the session. */
export function clearReach(): void {
  for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
}
