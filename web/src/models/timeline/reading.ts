import type { Row } from "./rows.ts";

/** A row as the screen measures it, in pixels from the top of the list. */
export interface Measured {
  top: number;
  height: number;
}

/** How long a row must be seen before it counts as read, in a window that has the focus. */
export const SEEN_AFTER_MS = 500;

/** The id of the last message of which at least half is inside the view; null when there is none. */
export function lastSeenMessage(
  rows: Row[],
  measure: (index: number) => Measured,
  view: { top: number; bottom: number },
): string | null {
  for (let index = rows.length - 1; index >= 0; index -= 1) {
    const row = rows[index];
    const { top, height } = measure(index);
    if (top + height < view.top) return null;
    const seen = Math.min(view.bottom, top + height) - Math.max(view.top, top);
    const id = row && eventIdOf(row);
    if (id && seen * 2 >= Math.min(height, view.bottom - view.top)) return id;
  }
  return null;
}

/** The id of the newest event of a row that the server knows; null for local echoes and rows that are no event. */
export function eventIdOf(row: Row): string | null {
  const id = row.type === "message" ? row.item.id : row.type === "system" ? row.items.at(-1)?.id : undefined;
  return id?.startsWith("$") ? id : null;
}

/** Where the row of an event stands, -1 when it is not loaded. */
export function indexOfEvent(rows: Row[], eventId: string): number {
  return rows.findIndex((row) =>
    row.type === "message"
      ? row.item.id === eventId
      : row.type === "system" && row.items.some((item) => item.id === eventId),
  );
}

/** Whether `after` has older rows before what `before` begins with, so that the view must keep its place from the end. */
export function isPrepend(before: Row[], after: Row[]): boolean {
  if (before.length === 0 || after.length <= before.length) return false;
  const anchor = before.findIndex((row) => row.type === "message");
  const key = before[anchor]?.key;
  if (key === undefined) return false;
  return after.findIndex((row) => row.key === key) > anchor;
}

/** How many messages of others stand after the row with this key. */
export function newSince(rows: Row[], key: string | null): number {
  const index = key === null ? -1 : rows.findLastIndex((row) => row.key === key);
  if (index === -1) return 0;
  return rows.slice(index + 1).filter((row) => row.type === "message" && !row.item.mine).length;
}
