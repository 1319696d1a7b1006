/** The log for the search: what people wrote in rooms that are not encrypted, and what takes it away again. */
import type { Db, Reader } from "../db/database.ts";
import { ENTRY_COLUMNS, type LogEntry } from "./entry.ts";

/** The types of events in which something is searched for. */
export const SEARCHED = ["m.room.message", "m.room.name", "m.room.topic"] as const;

export type Touched = Pick<
  LogEntry,
  "position" | "kind" | "roomId" | "eventId" | "type" | "relatesTo" | "relationType" | "redacts" | "body"
> & { sender: string; stateKey: string | null };

export interface TouchedStretch {
  /** In the order of positions, as they stand now. */
  entries: Touched[];
  /** All of them up to here are among the entries. */
  upTo: number;
  /** Where the log ended when it was read, and its epoch. */
  head: number;
  epoch: number;
  /** By the database's clock (ms since 1970). */
  read_ms: number;
}

type Row = Touched & { head: number; epoch: number; read_ms: number };

/**
 * What changes what is found, in so many positions of the log. One statement sees one moment. It is the span that is limited and not
 * the number of entries: what the planner expects of a log that grew since it was looked at does not change how much is read.
 */
export async function readTouched(db: Db, { after, span }: { after: number; span: number }): Promise<TouchedStretch> {
  const rows = await db.query<Row>(
    `select h.position as head, h.epoch, floor(extract(epoch from clock_timestamp()) * 1000)::bigint as "read_ms", n.*
     from log.head h left join lateral (
       select e.position, e.kind, e.room_id as "roomId", e.event_id as "eventId", e.type, e.user_id as sender, e.state_key as "stateKey",
         e.relates_to as "relatesTo", e.relation_type as "relationType", e.redacts, e.body
       from log.entries e
       where e.position > $1 and e.position <= $1::bigint + $2::bigint and (
         (e.kind = 'event' and (e.redacts is not null or e.type = any($3) or (e.type = 'm.room.encryption' and e.state_key = '')))
         or e.kind = 'removal')
     ) n on true order by n.position`,
    [after, span, SEARCHED],
  );
  const [first] = rows;
  if (!first) throw new Error("log.head has no row");
  const { head, epoch, read_ms } = first;
  const entries = rows.filter(({ position }) => position !== null);
  return { entries, upTo: Math.max(after, Math.min(head, after + span)), head, epoch, read_ms };
}

/** Those of the rooms that are encrypted now. */
export async function readEncrypted(db: Reader, roomIds: readonly string[]): Promise<Set<string>> {
  const rows = await db.query<{ roomId: string }>(
    `select room_id as "roomId" from log.state where room_id = any($1) and type = 'm.room.encryption' and state_key = ''`,
    [roomIds],
  );
  return new Set(rows.map(({ roomId }) => roomId));
}

/** An event as it stands now, with the newest edit of it. */
export interface Written {
  position: number;
  eventId: string;
  roomId: string;
  sender: string;
  type: string;
  body: string;
  editId: string | null;
  editPosition: number | null;
  editBody: string | null;
}

/** Of these events, those that may be found: none of an encrypted room, and no edits, which are found by what they replace. */
export function readWritten(db: Reader, eventIds: readonly string[]): Promise<Written[]> {
  return db.query<Written>(
    `select t.position, t.event_id as "eventId", t.room_id as "roomId", t.user_id as sender, t.type, t.body,
       e.event_id as "editId", e.position as "editPosition", e.body as "editBody"
     from log.entries t left join lateral (
       select c.event_id, c.position, c.body from log.entries c
       where t.state_key is null and c.relates_to = t.event_id and c.relation_type = 'm.replace' and c.room_id = t.room_id
         and c.user_id = t.user_id and c.type = t.type and c.state_key is null and strpos(c.body, '"m.new_content":') > 0
       order by c.ts desc, c.event_id desc limit 1
     ) e on true
     where t.event_id = any($1) and t.kind = 'event' and t.relation_type is distinct from 'm.replace'
       and ((t.type = 'm.room.message' and t.state_key is null) or (t.type in ('m.room.name', 'm.room.topic') and t.state_key = ''))
       and not exists (
         select from log.state s where s.room_id = t.room_id and s.type = 'm.room.encryption' and s.state_key = '')`,
    [eventIds],
  );
}

/** The events by their ids, in no order. */
export function readEvents(db: Reader, eventIds: readonly string[]): Promise<LogEntry[]> {
  return db.query<LogEntry>(`select ${ENTRY_COLUMNS} from log.entries e where e.event_id = any($1)`, [eventIds]);
}
