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

/** Whether a message that was not sent only waits, for the connection or for the end of maintenance: it is not refused for good. */
export function isWaiting(event: MatrixEvent): boolean {
  const { status, error } = event;
  return status === EventStatus.NOT_SENT && (error?.httpStatus === undefined || isMaintenance(error));
}

/** Whether the server takes nothing for now, because an operator has stopped writing. */
export function isMaintenance(error: { errcode?: string } | null): boolean {
  return error?.errcode === "IO_PARLEY_MAINTENANCE";
}
