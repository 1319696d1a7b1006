/**
 * Entries that say which events of a room left the log, by retention or because the room was purged. Whoever has something of
 * the log in memory lets go of these too. No client is told: to them the events were never there, or are what they have kept.
 */
import type { LogEntry } from "./entry.ts";

/** The positions whose events are gone, or "purged": all but who created the room and who was in it. */
export type Removed = ReadonlySet<number> | "purged";

/** What the entry removes; undefined for entries of other kinds. */
export function removedBy(entry: LogEntry): Removed | undefined {
  if (entry.kind !== "removal") return undefined;
  if (entry.type === "purged") return "purged";
  return new Set((JSON.parse(entry.body) as { positions: number[] }).positions);
}

/** The position of the newest event that is gone; what stands above it is untouched. */
export function newestOf(removed: Removed): number {
  return removed === "purged" ? Infinity : Math.max(...removed);
}

/** Whether this entry of the room is among what left. */
export function isRemoved(entry: LogEntry, removed: Removed): boolean {
  if (removed !== "purged") return removed.has(entry.position);
  if (entry.kind === "receipt") return true;
  return entry.kind === "event" && entry.type !== "m.room.create" && entry.type !== "m.room.member";
}
