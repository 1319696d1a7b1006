/** What the log gets of one event: its body as clients will see it, and the columns that the append looks at. */
import { type LogEntry, type NewEntry, unsignedOf } from "../log/entry.ts";
import { redact } from "./rules/redact.ts";
import { type Content, isObject, type RoomEvent } from "./rules/event.ts";
import { isEventId } from "./rules/identifiers.ts";
import { defaultRoomVersion, roomVersion, type RoomVersion } from "./rules/versions.ts";

/** A state event's place in the room before the new one took it. */
export interface Replaced {
  readonly event_id: string;
  readonly sender: string;
  readonly content: Content;
}

export interface EntryParts {
  /** What the event replaces, when it is a state event and there was one. */
  replaced?: Replaced | undefined;
  /** Of a redaction: its target as the log has it. */
  target?: LogEntry | undefined;
  /** The version of the room, by whose rules a redaction leaves something; that of the newest where it redacts nothing. */
  roomVersion?: string;
}

/** Longer than any type of relation; the column is indexed nowhere, this keeps it a name. */
const relationType_chars = 255;
/** How `unsigned` of a redacted event begins, and of no other. */
const REDACTED = '{"redacted_because":';

/** The entry of an event that may enter the log. What it says about its neighbours in the log comes in `parts`. */
export function eventEntry(event: RoomEvent, { replaced, target, roomVersion: version }: EntryParts = {}): NewEntry {
  const entry: NewEntry = {
    kind: "event",
    room: event.room_id,
    user: event.sender,
    event_id: event.event_id,
    type: event.type,
    ts: event.origin_server_ts,
    body: bodyOf(event),
  };
  if (event.state_key !== undefined) addState(entry, event, replaced);
  const relation = relationOf(event.content);
  if (relation) Object.assign(entry, { relates_to: relation.eventId, relation_type: relation.type });
  if (event.type === "m.room.redaction" && target) addRedaction(entry, event, { target, version });
  return entry;
}

/** The client's event without `room_id` and `unsigned`. The order of its members is the same for every event. */
export function bodyOf(event: RoomEvent): string {
  const head = `{"content":${JSON.stringify(event.content)},"event_id":"${event.event_id}","origin_server_ts":${event.origin_server_ts}`;
  const key = event.state_key === undefined ? "" : `,"state_key":${JSON.stringify(event.state_key)}`;
  const redacts = event.redacts === undefined ? "" : `,"redacts":${JSON.stringify(event.redacts)}`;
  return `${head},"sender":${JSON.stringify(event.sender)}${key},"type":${JSON.stringify(event.type)}${redacts}}`;
}

function addState(entry: NewEntry, event: RoomEvent, replaced: Replaced | undefined): void {
  entry.state_key = event.state_key as string;
  if (event.type === "m.room.member") entry.membership = event.content["membership"] as string;
  if (event.type === "m.room.create") entry.room_version = event.content["room_version"] as string;
  if (replaced) entry.unsigned = unsignedOf(replaced);
}

/**
 * Specification: client-server-api, "Forming relationships between events". What is malformed is no relation; the event
 * stays what it is.
 */
export function relationOf(content: Content): { type: string; eventId: string } | undefined {
  const relation = content["m.relates_to"];
  if (!isObject(relation)) return undefined;
  const { rel_type: type, event_id: eventId } = relation;
  if (typeof type !== "string" || !isEventId(eventId)) return undefined;
  return type.includes("\0") || type.length > relationType_chars ? undefined : { type, eventId };
}

function addRedaction(
  entry: NewEntry,
  redaction: RoomEvent,
  { target, version }: { target: LogEntry; version: string | undefined },
): void {
  entry.redacts = target.eventId as string;
  // Redacted once is redacted: the first redaction stays the one that is named as the cause.
  if (isRedacted(target)) return;
  const because = `${entry.body.slice(0, -1)},"room_id":${JSON.stringify(redaction.room_id)}}`;
  entry.redacted_body = bodyOf(redactedIn(version, eventOf(target)));
  entry.redacted_unsigned = `${REDACTED}${because}}`;
}

/** What a redaction leaves of an event in a room of this version. */
export function redactedIn(version: string | undefined, event: RoomEvent): RoomEvent {
  return redact(event, roomVersion(version ?? defaultRoomVersion) as RoomVersion);
}

/** Whether the event lost its content. */
export function isRedacted({ unsigned }: LogEntry): boolean {
  return unsigned?.startsWith(REDACTED) === true;
}

/** An event of the log as the rules read it. */
export function eventOf(entry: LogEntry): RoomEvent {
  const body = JSON.parse(entry.body) as Omit<RoomEvent, "room_id">;
  return { ...body, room_id: entry.roomId as string };
}
