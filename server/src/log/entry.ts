/**
 * The entries of the ordered log. Everything that a client can learn from sync is one of these, at one position.
 */
export type Kind = "event" | "receipt" | "account_data" | "device_list" | "to_device" | "session" | "removal";

/** One entry as it stands in the log. */
export interface LogEntry {
  /**
   * Where it stands. Positions are assigned in commit order, so the order of positions is the order of commits, and each is the one
   * after the last: dense when they are assigned, not in the table, where those of entries that were removed stay empty.
   */
  position: number;
  kind: Kind;
  roomId: string | null;
  /** event: the sender. receipt: the reader. Otherwise: whose it is. */
  userId: string | null;
  /** to_device: the target device. */
  deviceId: string | null;
  eventId: string | null;
  type: string | null;
  /** event: the state key, null for a message. receipt: the thread, '' for none; of a delivery who has it. */
  stateKey: string | null;
  ts: number | null;
  relatesTo: string | null;
  relationType: string | null;
  redacts: string | null;
  sessionId: number | null;
  txnId: string | null;
  /**
   * JSON. event: the client's event without `room_id` and `unsigned`. receipt: {event_id, position, data}. account_data: the
   * content. to_device: {sender, type, content}. device_list and session: what the domain that writes them says. removal: see
   * removal.ts.
   */
  body: string;
  /** The members of `unsigned` that are the same for every reader: a JSON object, or null for none. */
  unsigned: string | null;
  /** Of a redaction: what stays of the event that it redacts. */
  redaction?: { body: string; unsigned: string | null } | undefined;
}

/** A receipt type of Parley's own: the user is the sender of an event, the state key is who has it. See docs/protocol/delivery.md. */
export const DELIVERED = "io.parley.delivered";

/** Whether the entry is a receipt that its user alone is told of. */
export function isOwnReceipt({ kind, type }: Pick<LogEntry, "kind" | "type">): boolean {
  return kind === "receipt" && (type === "m.read.private" || type === DELIVERED);
}

/** What a caller hands in: positions come from the append. */
export interface NewEntry {
  kind: Kind;
  room?: string;
  user?: string;
  device?: string;
  event_id?: string;
  type?: string;
  state_key?: string;
  ts?: number;
  relates_to?: string;
  relation_type?: string;
  session?: number;
  txn_id?: string;
  body: string;
  unsigned?: string;
  /** m.room.create: the room version. */
  room_version?: string;
  /** m.room.member: content.membership. */
  membership?: string;
  /** m.room.redaction: the event that loses its content, and what stays of it. */
  redacts?: string;
  redacted_body?: string;
  redacted_unsigned?: string;
  /** receipt: the event that was read, and where it stands. */
  receipt_event?: string;
  receipt_position?: number;
}

/** What stands or falls together: one send, or all the events of a new room. */
export interface Submission {
  /** Entries with the same lane key are appended in the order in which they were submitted. Mostly the room id. */
  lane: string;
  /** The room and the version of its state that the entries were authorised against; 0: the room must be new. */
  room?: { id: string; version: number };
  /** Memberships that the authorisation rests on, by their position; 0: there was none. */
  members?: readonly { room: string; user: string; position: number }[];
  /** Makes a retry get the first answer: unique by (session, key), for ever. */
  transaction?: { session: number; key: string; answer: string };
  entries: readonly NewEntry[];
}

export type Appended =
  | { outcome: "appended"; answer: string; entries: readonly LogEntry[] }
  /** The same transaction was appended before; this is the answer that it got. */
  | { outcome: "repeated"; answer: string }
  /** The room is no longer as it was when the entries were authorised: look again, and submit anew. */
  | { outcome: "stale" };

/**
 * What `unsigned` says of the state event that was replaced. Its content stands last, so that it can be cut off when that
 * event is redacted: here and, with the same text, in log.project_redactions().
 */
export function unsignedOf(replaced: { event_id: string; sender: string; content: object }): string {
  const { event_id, sender, content } = replaced;
  return JSON.stringify({ replaces_state: event_id, prev_sender: sender, prev_content: content });
}

/** `unsigned` without the content of the event that was replaced, if that is the one; else undefined: there is nothing to cut. */
export function withoutReplaced(unsigned: string | null, eventId: string): string | undefined {
  if (!unsigned?.startsWith(`{"replaces_state":${JSON.stringify(eventId)}`)) return undefined;
  const end = unsigned.indexOf(',"prev_content":');
  return end === -1 ? undefined : `${unsigned.slice(0, end)}}`;
}

/** The entry as it stands in the log once it has its position. */
export function placed(entry: NewEntry, position: number): LogEntry {
  return {
    position,
    kind: entry.kind,
    roomId: entry.room ?? null,
    userId: entry.user ?? null,
    deviceId: entry.device ?? null,
    eventId: entry.event_id ?? null,
    type: entry.type ?? null,
    stateKey: entry.state_key ?? null,
    ts: entry.ts ?? null,
    relatesTo: entry.relates_to ?? null,
    relationType: entry.relation_type ?? null,
    redacts: entry.redacts ?? null,
    sessionId: entry.session ?? null,
    txnId: entry.txn_id ?? null,
    body: entry.body,
    unsigned: entry.unsigned ?? null,
    ...(entry.redacted_body === undefined
      ? {}
      : { redaction: { body: entry.redacted_body, unsigned: entry.redacted_unsigned ?? null } }),
  };
}

/** The columns of log.entries under the names of LogEntry, for every query that reads entries. */
export const ENTRY_COLUMNS = `e.position, e.kind, e.room_id as "roomId", e.user_id as "userId", e.device_id as "deviceId",
  e.event_id as "eventId", e.type, e.state_key as "stateKey", e.ts, e.relates_to as "relatesTo", e.relation_type as "relationType",
  e.redacts, e.session_id as "sessionId", e.txn_id as "txnId", e.body, e.unsigned`;
