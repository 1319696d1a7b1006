/** Questions about events that several parts ask. */
import { EventStatus, EventType, type MatrixEvent, RelationType } from "matrix-js-sdk";

const MESSAGES = new Set<string>([EventType.RoomMessage, EventType.RoomMessageEncrypted, EventType.Sticker]);

export function hasType(event: MatrixEvent, type: EventType): boolean {
  return event.getType() === (type as string);
}

/** Whether people see the event as a message of its own; edits and reactions are part of others. */
export function isMessage(event: MatrixEvent): boolean {
  if (!MESSAGES.has(event.getType())) return false;
  const relation = event.getRelation()?.rel_type;
  return relation !== RelationType.Replace && relation !== RelationType.Annotation;
}

/** Whether a message that was not sent only waits for the connection: the server itself has refused nothing. */
export function isWaiting(event: MatrixEvent): boolean {
  return event.status === EventStatus.NOT_SENT && event.error?.httpStatus === undefined;
}
