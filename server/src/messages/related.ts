/**
 * `related_by_senders` and `related_by_rel_types` of a filter: only events that others relate to, from one of these senders and in
 * one of these ways. Where both are given, one relation has to meet both. MSC3440, which clients ask so for threads.
 */
import type { LogEntry } from "../log/entry.ts";
import type { CompiledRoomEventFilter } from "../sync/filter.ts";
import { type Reading, seenAndHeard, sightValues } from "./reading.ts";

/** What is asked of the relations; undefined where nothing is. */
export type RelatedBy = Pick<CompiledRoomEventFilter, "relatedByRelTypes" | "relatedBySenders"> | undefined;

export function relatedByOf({ relatedByRelTypes, relatedBySenders }: CompiledRoomEventFilter): RelatedBy {
  return relatedByRelTypes || relatedBySenders ? { relatedByRelTypes, relatedBySenders } : undefined;
}

const RELATED = `select distinct c.relates_to as id from log.entries c
  where c.relates_to = any($1::text[]) and c.room_id = $2 and c.relation_type is not null
    and ($3::text[] is null or c.relation_type = any($3)) and ($4::text[] is null or c.user_id = any($4))
    and ${seenAndHeard("c", 5)}`;

/** Those of the events of the reading's room that are related to as asked, by what the reader sees and hears. One query. */
export async function relatedAmong(
  reading: Reading,
  entries: readonly LogEntry[],
  by: RelatedBy,
): Promise<readonly LogEntry[]> {
  if (by === undefined || entries.length === 0) return entries;
  const rows = await reading.db.query<{ id: string }>(RELATED, [
    entries.map((entry) => entry.eventId),
    reading.room.roomId,
    by.relatedByRelTypes ?? null,
    by.relatedBySenders ?? null,
    ...sightValues(reading),
  ]);
  const related = new Set(rows.map(({ id }) => id));
  return entries.filter((entry) => related.has(entry.eventId as string));
}
