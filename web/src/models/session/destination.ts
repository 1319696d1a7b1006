/**
 * The place that somebody was on their way to when they had to sign in first: a link to a channel or to a message. The door has addresses
 * of its own, and a provider's page is another site, so this tab keeps the place until the rooms are there.
 */
import { isRoomPath } from "../routes.ts";

const KEY = "parley.destination";

/** Keeps the address for after the door, where it is one of a room. */
export function keepDestination(path: string): void {
  if (isRoomPath(path)) sessionStorage.setItem(KEY, path);
}

/** The place that was kept, once. */
export function takeDestination(): string | null {
  const path = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  return path;
}
