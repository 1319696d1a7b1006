/** The log for whoever sends notifications: events, and what says that somebody read some. */
import type { Db } from "../db/database.ts";
import { DELIVERED, ENTRY_COLUMNS, type LogEntry } from "./entry.ts";

export interface PushStretch {
  /** Events and receipts of readers, in the order of positions. */
  entries: LogEntry[];
  /** All of them up to here are among the entries. */
  upTo: number;
  head: number;
  epoch: number;
}

interface Asked {
  after: number;
  /** How many positions are looked at. */
  span: number;
  limit: number;
}

/** The next stretch of the log. One statement sees one moment. */
export async function readPushStretch(db: Db, { after, span, limit }: Asked): Promise<PushStretch> {
  const rows = await db.query<LogEntry & { head: number; epoch: number }>(
    `select h.position as head, h.epoch, n.* from log.head h left join lateral (
       select ${ENTRY_COLUMNS} from log.entries e
       where e.position > $1 and e.position <= $1::bigint + $2::bigint
         and (e.kind = 'event' or (e.kind = 'receipt' and e.type <> $4))
       order by e.position limit $3
     ) n on true order by n.position`,
    [after, span, limit, DELIVERED],
  );
  const [first] = rows;
  if (!first) throw new Error("log.head has no row");
  const entries = rows.filter(({ position }) => position !== null);
  const upTo = entries.length < limit ? Math.min(first.head, after + span) : (entries.at(-1)?.position ?? after);
  return { entries, upTo: Math.max(upTo, after), head: first.head, epoch: first.epoch };
}

/** Where these events stand, by their ids. */
export async function readPositions(db: Db, eventIds: readonly string[]): Promise<Map<string, number>> {
  const rows = await db.query<{ id: string; position: number }>(
    "select event_id as id, position from log.entries where event_id = any($1)",
    [eventIds],
  );
  return new Map(rows.map(({ id, position }) => [id, position]));
}

/** Which of the people are in which of the rooms now, or invited to them. */
export function readMembersAmong(
  db: Db,
  roomIds: readonly string[],
  userIds: readonly string[],
): Promise<{ roomId: string; userId: string }[]> {
  return db.query<{ roomId: string; userId: string }>(
    `select room_id as "roomId", user_id as "userId" from log.members
     where room_id = any($1) and membership in ('join', 'invite') and user_id = any($2)`,
    [roomIds, userIds],
  );
}

export interface Joined {
  userId: string;
  roomId: string;
  /** Where the person's membership stands. */
  since: number;
}

/**
 * Of these rooms those in which somebody else sent something behind the person's receipts for whole rooms; without one, behind their
 * membership, unless that is a change of their name: then anything counts.
 */
export function readRoomsBehind(db: Db, joined: readonly Joined[]): Promise<{ userId: string; roomId: string }[]> {
  return db.query<{ userId: string; roomId: string }>(
    `select r.user_id as "userId", r.id as "roomId" from unnest($1::text[], $2::text[], $3::bigint[]) r(user_id, id, since)
     where exists (
       select from log.entries e
       where e.kind = 'event' and e.room_id = r.id and e.user_id <> r.user_id and e.position > coalesce((
         select max(x.event_position) from log.receipts x
         where x.room_id = r.id and x.user_id = r.user_id and x.thread_id = '' and x.type <> $4), (
         select case when m.unsigned is null or m.unsigned::json #>> '{prev_content,membership}' <> 'join' then r.since else 0 end
         from log.entries m where m.position = r.since), r.since))`,
    [
      joined.map(({ userId }) => userId),
      joined.map(({ roomId }) => roomId),
      joined.map(({ since }) => since),
      DELIVERED,
    ],
  );
}
