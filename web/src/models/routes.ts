/** The addresses of the messenger. Only ids stand in them, never names or content. */

export const HOME = "/";
export const BROWSE = "/browse";

export function roomPath(roomId: string): string {
  return `/c/${encodeURIComponent(roomId)}`;
}

/** Whether an address is in a room, at a message or a thread of it. */
export function isRoomPath(path: string): boolean {
  return /^\/c\/[^/]/.test(path);
}

export function messagePath(roomId: string, eventId: string): string {
  return `${roomPath(roomId)}/m/${encodeURIComponent(eventId)}`;
}

export function threadPath(roomId: string, rootId: string): string {
  return `${roomPath(roomId)}/t/${encodeURIComponent(rootId)}`;
}

export function detailsPath(roomId: string): string {
  return `${roomPath(roomId)}/details`;
}

export function settingsPath(tab = "profile"): string {
  return `/settings/${tab}`;
}

const LAST_ROOM = "parley.lastRoom";

/** The room that was open last in this browser. */
export function lastRoom(): string | null {
  return localStorage.getItem(LAST_ROOM);
}

export function rememberRoom(roomId: string): void {
  localStorage.setItem(LAST_ROOM, roomId);
}

export function forgetRoom(): void {
  localStorage.removeItem(LAST_ROOM);
}

/** An id out of the address. The router decodes only what `decodeURI` does, which leaves `$`, `:` and `#` encoded. */
export function idOf(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
