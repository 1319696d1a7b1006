/** What others may read of the log and its projections. Every query goes through the log's own database role. */
import type { Db, Reader } from "../db/database.ts";
import { ENTRY_COLUMNS, type LogEntry } from "./entry.ts";
import type { Point } from "./token.ts";

export async function readHead(db: Reader): Promise<Point> {
  const row = await db.one<Point>("select position, epoch from log.head");
  if (!row) throw new Error("log.head has no row");
  return row;
}

/** The epochs that a fail-over began, and the position up to which each goes on with the history before it. */
export async function readForks(db: Reader): Promise<Map<number, number>> {
  const rows = await db.query<{ epoch: number; position: number }>("select epoch, position from log.forks");
  return new Map(rows.map(({ epoch, position }) => [epoch, position]));
}

/**
 * At most `limit` entries above `after`, in the order of positions, how far the log is known with them, and its epoch. A redaction
 * brings along what it left of its target.
 */
export async function readEntries(
  db: Db,
  after: number,
  limit: number,
): Promise<{ entries: LogEntry[]; upTo: number; epoch: number }> {
  return toRead(await db.query<Row>(readingOf("true"), [after, limit]), after, limit);
}

/** As `readEntries`, without messages: events that are neither state nor redactions. */
export async function readChanges(db: Db, after: number, limit: number): Promise<ReturnType<typeof toRead>> {
  const isChange = "(e.kind <> 'event' or e.state_key is not null or e.redacts is not null)";
  return toRead(await db.query<Row>(readingOf(isChange), [after, limit]), after, limit);
}

type Row = LogEntry & { head: number; epoch: number; leftBody: string | null; leftUnsigned: string | null };

/** One statement sees one moment: what is not among the entries up to the head is no longer in the log, or not wanted. */
function readingOf(condition: string): string {
  return `select h.position as head, h.epoch, n.* from log.head h left join lateral (
       select ${ENTRY_COLUMNS}, t.body as "leftBody", t.unsigned as "leftUnsigned"
       from log.entries e left join log.entries t on t.event_id = e.redacts and t.room_id = e.room_id
       where e.position > $1 and ${condition} order by e.position limit $2
     ) n on true order by n.position`;
}

function toRead(rows: readonly Row[], after: number, limit: number) {
  const upTo = rows.length < limit ? (rows[0]?.head ?? after) : (rows.at(-1)?.position ?? after);
  const entries = rows.filter((row) => row.position !== null).map(entryOf);
  return { entries, upTo, epoch: rows[0]?.epoch ?? 0 };
}

/** Members by name: a rest of an object is slow to make, and slow for all who read it. */
function entryOf(row: Row): LogEntry {
  const { position, kind, roomId, userId, deviceId, eventId, type, stateKey, ts } = row;
  const { relatesTo, relationType, redacts, sessionId, txnId, body, unsigned, leftBody, leftUnsigned } = row;
  const named = { position, kind, roomId, userId, deviceId, eventId, type, stateKey, ts };
  const entry = { ...named, relatesTo, relationType, redacts, sessionId, txnId, body, unsigned };
  return leftBody === null ? entry : { ...entry, redaction: { body: leftBody, unsigned: leftUnsigned } };
}

/**
 * What is found with this in the select list is on the synchronous standby when the answer comes, though it was only read: the
 * statement writes a few bytes behind it, which the commit waits for. What the database shows without that may be lost in a
 * fail-over, if the backend that wrote it was ended while it waited.
 */
export const SURELY = "pg_logical_emit_message(true, 'parley', '')";

export function readEvent(db: Reader, eventId: string): Promise<LogEntry | undefined> {
  return db.one<LogEntry>(`select ${ENTRY_COLUMNS} from log.entries e where e.event_id = $1 and e.kind = 'event'`, [
    eventId,
  ]);
}

/** Which of these events are in the log. Whoever is told of one may rely on it: see SURELY. */
export async function readSurely(db: Db, eventIds: readonly string[]): Promise<string[]> {
  const rows = await db.query<{ eventId: string }>(
    `select e.event_id as "eventId", ${SURELY} from log.entries e where e.event_id = any($1)`,
    [eventIds],
  );
  return rows.map(({ eventId }) => eventId);
}

/** The first answer to a transaction, if it was appended before. Whoever is told it may rely on it: see SURELY. */
export async function readTransaction(db: Db, session: number, key: string): Promise<string | undefined> {
  const row = await db.one<{ answer: string }>(
    `select answer, ${SURELY} from log.transactions where session_id = $1 and txn_key = $2`,
    [session, key],
  );
  return row?.answer;
}

export interface StoredRoom {
  roomVersion: string;
  version: number;
  /** Current state, memberships included. */
  state: LogEntry[];
}

/** A room's current state and version, as of one moment; undefined where there is no such room. */
export async function readRoom(db: Db, roomId: string): Promise<StoredRoom | undefined> {
  const rows = await db.query<LogEntry & { roomVersion: string; version: number }>(
    `select r.room_version as "roomVersion", r.version, ${ENTRY_COLUMNS}
     from log.rooms r
     join (select room_id, position from log.state union all select room_id, position from log.members) s on s.room_id = r.room_id
     join log.entries e on e.position = s.position
     where r.room_id = $1
     order by e.position`,
    [roomId],
  );
  const [first] = rows;
  return first && { roomVersion: first.roomVersion, version: first.version, state: rows };
}

export interface MembershipRow {
  roomId: string;
  membership: string;
  position: number;
  eventId: string;
  forgotten: boolean;
}

/** All rooms that the person has, or had, a membership in. */
export async function readMemberships(db: Db, userIds: readonly string[]): Promise<MembershipRow[][]> {
  const rows = await db.query<MembershipRow & { userId: string }>(
    `select user_id as "userId", room_id as "roomId", membership, position, event_id as "eventId", forgotten
     from log.members where user_id = any ($1)`,
    [userIds],
  );
  const byUser = Map.groupBy(rows, ({ userId }) => userId);
  return userIds.map((userId) => byUser.get(userId) ?? []);
}

/** Marks a room that the person left as forgotten. */
export function forgetRoom(db: Db, userId: string, roomId: string): Promise<number> {
  return db.change(
    "update log.members set forgotten = true where user_id = $1 and room_id = $2 and membership in ('leave', 'ban')",
    [userId, roomId],
  );
}

export interface AccountData {
  roomId: string;
  type: string;
  position: number;
  content: string;
}

/** The person's account data that changed above `after`; room '' is global. */
export function readAccountData(db: Db, userId: string, after: number): Promise<AccountData[]> {
  return db.query<AccountData>(
    `select room_id as "roomId", type, position, content from log.account_data where user_id = $1 and position > $2 order by position`,
    [userId, after],
  );
}

/** One item of account data; room '' is global. */
export async function readAccountDataItem(
  db: Db,
  key: { userId: string; roomId: string; type: string },
): Promise<string | undefined> {
  const row = await db.one<{ content: string }>(
    "select content from log.account_data where user_id = $1 and room_id = $2 and type = $3",
    [key.userId, key.roomId, key.type],
  );
  return row?.content;
}

/** One item of many people's global account data, in their order; undefined where somebody has none. */
export async function readAccountDataOf(
  db: Db,
  type: string,
  userIds: readonly string[],
): Promise<(string | undefined)[]> {
  const rows = await db.query<{ userId: string; content: string }>(
    `select user_id as "userId", content from log.account_data where user_id = any ($1) and room_id = '' and type = $2`,
    [userIds, type],
  );
  const found = new Map(rows.map(({ userId, content }) => [userId, content]));
  return userIds.map((userId) => found.get(userId));
}
