/**
 * The JSON of an event as clients get it: the text that the log has, and what differs from reader to reader. It is put together each
 * time. To keep it beside the entry would cost half as much memory again for each entry of the tail, and collections that take
 * longer than all that it saves. Specification: client-server-api, "Room event format".
 */
import type { LogEntry } from "../log/entry.ts";
import type { Membership } from "../rooms/state.ts";

export interface Reader {
  /** The session that asks: it gets its own transaction ids back. */
  sessionId?: number;
  /** The reader's membership at the time of the event. */
  membership?: Membership;
  /** Bundled aggregations: the JSON of `m.relations`. */
  relations?: string;
}

/** The event without its room id, as /sync wants it. */
export function clientEvent(entry: LogEntry, reader: Reader = {}): string {
  const isOwn = entry.txnId !== null && entry.sessionId === reader.sessionId;
  return encode(entry, isOwn ? { ...reader, txnId: entry.txnId as string } : reader);
}

/** The event with its room id, as every other endpoint wants it. */
export function clientEventInRoom(entry: LogEntry, reader: Reader = {}): string {
  return `${clientEvent(entry, reader).slice(0, -1)},"room_id":${JSON.stringify(entry.roomId)}}`;
}

function encode(entry: LogEntry, { membership, relations, txnId }: Reader & { txnId?: string }): string {
  const unsigned: string[] = [];
  if (membership) unsigned.push(`"membership":"${membership}"`);
  if (entry.unsigned) unsigned.push(entry.unsigned.slice(1, -1));
  if (txnId !== undefined) unsigned.push(`"transaction_id":${JSON.stringify(txnId)}`);
  if (relations !== undefined) unsigned.push(`"m.relations":${relations}`);
  return unsigned.length === 0 ? entry.body : `${entry.body.slice(0, -1)},"unsigned":{${unsigned.join(",")}}}`;
}

/** The few members of a state event that people outside the room get to see. Specification: "Stripped state". */
export function strippedEvent(entry: LogEntry): string {
  const { content } = JSON.parse(entry.body) as { content: unknown };
  return JSON.stringify({ type: entry.type, state_key: entry.stateKey, sender: entry.userId, content });
}
