/** What of an event matters for the unread line. */
export interface Readable {
  id: string;
  /** People see it as a message. */
  isMessage: boolean;
  mine: boolean;
}

export interface Unread {
  /** Before which message the line stands. */
  from: string;
  /** How many messages of others are unread. */
  count: number;
}

/**
 * What was unread when a room was opened: the messages of others after the one that had been read, up to the newest
 * that was there. Messages that come later are new, but the reader sees them come. Null when there is nothing, or when
 * the read message is not loaded.
 */
export function unreadAtOpen(events: Readable[], readUpTo: string | null, lastAtOpen: string | null): Unread | null {
  const read = events.findLastIndex((event) => event.id === readUpTo);
  const last = events.findLastIndex((event) => event.id === lastAtOpen);
  if (read === -1 || last === -1) return null;
  const unread = events.slice(read + 1, last + 1).filter((event) => event.isMessage && !event.mine);
  return unread[0] ? { from: unread[0].id, count: unread.length } : null;
}
