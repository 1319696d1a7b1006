/**
 * The threads of events. Those that say so are in a thread, and those that relate to one that is, over three relations at most: a
 * reaction, an edit, an answer to a poll. Specification: client-server-api, "Threaded read receipts".
 */
import type { Reader } from "../db/database.ts";

const HOPS = 3;

/** SQL: the root of the thread of `entry`, an alias of log.entries; null where it is in none. */
export function threadOfSql(entry: string, hops = HOPS): string {
  const own = `when ${entry}.relation_type = 'm.thread' then ${entry}.relates_to`;
  if (hops === 0) return `case ${own} end`;
  const parent = `${entry}_parent`;
  return `case ${own} when ${entry}.relates_to is not null then (
    select ${threadOfSql(parent, hops - 1)} from log.entries ${parent}
    where ${parent}.event_id = ${entry}.relates_to and ${parent}.room_id = ${entry}.room_id) end`;
}

export interface Parent {
  id: string;
  roomId: string;
  /** The thread that whatever relates to it is in. */
  root: string | null;
}

/** What events that others relate to stand for. Those that there are not are left out. */
export function readParents(db: Reader, eventIds: readonly string[]): Promise<Parent[]> {
  return db.query<Parent>(
    `select p.event_id as id, p.room_id as "roomId", ${threadOfSql("p", HOPS - 1)} as root
     from log.entries p where p.event_id = any($1)`,
    [eventIds],
  );
}
