/**
 * Which change of a message counts. The SDK puts in the place of a message whatever the server says is its replacement, so it is
 * looked at here (Matrix client-server API, "Validity of replacement events").
 */
import type { MatrixEvent } from "matrix-js-sdk";
import { parts, text } from "./safe.ts";

/** The last change of a message; null where there is none, or none that its writer can have made. */
export function editOf(event: MatrixEvent): MatrixEvent | null {
  const edit = event.replacingEvent();
  if (!edit || edit.getSender() !== event.getSender() || edit.isState()) return null;
  // What is on its way is encrypted later.
  if (edit.status === null && event.isEncrypted() && !edit.isEncrypted()) return null;
  if (edit.getType() !== event.getType() || !hasNewContent(edit)) return null;
  return edit.status !== null || text(relationOf(edit)["event_id"]) === event.getId() ? edit : null;
}

/** Whether there is a change by the writer that this device has no key for. */
export function isEditUnreadable(event: MatrixEvent): boolean {
  const edit = event.replacingEvent();
  return edit?.getSender() === event.getSender() && (edit?.isDecryptionFailure() ?? false);
}

/** What a message says, with the last change that counts. */
export function contentOf(event: MatrixEvent): Record<string, unknown> {
  const edit = editOf(event);
  return edit ? parts(edit.getOriginalContent()["m.new_content"]) : event.getOriginalContent();
}

/**
 * Whether the event is a change of another: not by the word of the server alone, which sees relations and may add them. What can not
 * be read may be anything.
 */
export function isEdit(event: MatrixEvent): boolean {
  if (!event.isRelation("m.replace") || event.isDecryptionFailure()) return false;
  const isPending = event.isEncrypted() && event.getClearContent() === null;
  return isPending || event.isRedacted() || hasNewContent(event);
}

/**
 * What an event is related to. It stands in clear beside what is encrypted, where the server can write; most apps encrypt it too,
 * and then that is what its writer meant.
 */
export function relationOf(event: MatrixEvent): Record<string, unknown> {
  const own = event.getClearContent()?.["m.relates_to"] as unknown;
  return parts(own ?? event.getWireContent()["m.relates_to"]);
}

function hasNewContent(event: MatrixEvent): boolean {
  return Object.keys(parts(event.getOriginalContent()["m.new_content"])).length > 0;
}
