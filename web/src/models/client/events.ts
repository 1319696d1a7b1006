/** Questions about events that several parts ask. */
import { EventStatus, EventType, type MatrixEvent, RelationType } from "matrix-js-sdk";
import { isEdit } from "./edits.ts";
import { parts, text } from "./safe.ts";

const MESSAGES = new Set<string>([EventType.RoomMessage, EventType.RoomMessageEncrypted, EventType.Sticker]);

export function hasType(event: MatrixEvent, type: EventType): boolean {
  return event.getType() === (type as string);
}

/** Whether people see the event as a message of its own; edits and reactions are part of others. */
export function isMessage(event: MatrixEvent): boolean {
  if (!MESSAGES.has(event.getType())) return false;
  return !isEdit(event) && event.getRelation()?.rel_type !== RelationType.Annotation;
}

/** Of a message that has arrived, the change of it that has not; else the message itself. */
export function onItsWay(event: MatrixEvent): MatrixEvent {
  const change = event.replacingEvent();
  return event.status === null && change?.status ? change : event;
}

/** The server, or what stands before it, can not take it now and says nothing against the message itself. */
const PASSING = new Set([429, 502, 503, 504]);

/** Whether an attempt failed for want of a connection, or because the server takes nothing for now: what comes after it would fail too. */
export function isPassing(error: { httpStatus?: number; errcode?: string; name?: string }): boolean {
  // A browser says of an upload that was cut off that it was aborted.
  if (error.httpStatus === undefined) return error.name === "ConnectionError" || error.name === "AbortError";
  return PASSING.has(error.httpStatus) || isMaintenance(error);
}

/** Whether a message that was not sent only waits, for the connection or for the server: it is not refused for good. */
export function isWaiting({ status, error }: MatrixEvent): boolean {
  if (status !== EventStatus.NOT_SENT) return false;
  return error?.httpStatus === undefined || PASSING.has(error.httpStatus) || isMaintenance(error);
}

/** Why the server refused the message for good; undefined while it is on its way or waits. */
export function refusalOf(event: MatrixEvent): string | undefined {
  if (event.status !== EventStatus.NOT_SENT || isWaiting(event)) return undefined;
  return text(parts(event.error?.data)["error"])?.replace(/\.$/, "") ?? "the server refused it";
}

/** Whether the server takes nothing for now, because an operator has stopped writing. */
export function isMaintenance(error: { errcode?: string } | null): boolean {
  return error?.errcode === "IO_PARLEY_MAINTENANCE";
}
