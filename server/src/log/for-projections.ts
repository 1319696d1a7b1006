/** The log for those who keep something of their own in step with it: state and devices, no messages. */
import type { Db } from "../db/database.ts";
import { ENTRY_COLUMNS, type LogEntry } from "./entry.ts";
import { readForks } from "./queries.ts";

export interface Stretch {
  /** State events, redactions with what they left, device lists, ended sessions and removals, in the order of positions. */
  entries: LogEntry[];
  /** All of them up to here are among the entries. */
  upTo: number;
  /** Where the log ended when it was read, and its epoch. */
  head: number;
  epoch: number;
  /** By the database's clock (ms since 1970). */
  read_ms: number;
}

export interface StretchOptions {
  after: number;
  /** How many positions are looked at, messages too. */
  span: number;
  /** At most so many entries. */
  limit: number;
}

type Row = LogEntry & { head: number; epoch: number; read_ms: number; leftBody: string | null };

/** The next stretch of the log. One statement sees one moment. */
export async function readStretch(db: Db, { after, span, limit }: StretchOptions): Promise<Stretch> {
  const rows = await db.query<Row>(
    `select h.position as head, h.epoch, floor(extract(epoch from clock_timestamp()) * 1000)::bigint as "read_ms", n.*
     from log.head h left join lateral (
       select ${ENTRY_COLUMNS}, t.body as "leftBody"
       from log.entries e left join log.entries t on t.event_id = e.redacts and t.room_id = e.room_id
       where e.position > $1 and e.position <= $1::bigint + $2::bigint and (
         (e.kind = 'event' and (e.state_key is not null or e.redacts is not null))
         or e.kind in ('device_list', 'removal') or (e.kind = 'session' and e.type = 'ended'))
       order by e.position limit $3
     ) n on true order by n.position`,
    [after, span, limit],
  );
  const [first] = rows;
  if (!first) throw new Error("log.head has no row");
  const entries = rows.filter(({ position }) => position !== null).map(entryOf);
  const upTo = entries.length < limit ? Math.min(first.head, after + span) : (entries.at(-1)?.position ?? after);
  return { entries, upTo, head: first.head, epoch: first.epoch, read_ms: first.read_ms };
}

function entryOf({ head: _head, epoch: _epoch, read_ms: _read, leftBody, ...entry }: Row): LogEntry {
  return leftBody === null ? entry : { ...entry, redaction: { body: leftBody, unsigned: null } };
}

/** Whether what stood at the position in an earlier epoch stands there in this one too. See epochs.ts. */
export async function stillHolds(db: Db, from: { position: number; epoch: number }, epoch: number): Promise<boolean> {
  if (from.epoch === epoch) return true;
  const forks = await readForks(db);
  for (let each = from.epoch + 1; each <= epoch; each++) if ((forks.get(each) ?? -1) < from.position) return false;
  return from.epoch < epoch;
}
