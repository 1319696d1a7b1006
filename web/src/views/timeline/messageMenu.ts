import type { MessageItem } from "../../models/timeline/item.ts";
import type { MenuEntry, MenuGroups } from "../../ui/Menu.tsx";
import { attempt, toast } from "../../ui/Toast.tsx";
import type { TimelineScope } from "./actions.ts";

/** The quote of a message that a reply begins with. */
export function quoteOf(item: MessageItem) {
  return { id: item.id, sender: item.sender, text: item.text };
}

/** Puts an own message into the composer. */
export function startEdit(scope: TimelineScope, eventId: string): void {
  const draft = scope.timeline.draftOf(eventId);
  if (draft) scope.composer.startEditing(eventId, draft);
}

export async function copyText(item: MessageItem): Promise<void> {
  await attempt("Could not copy", () => navigator.clipboard.writeText(item.text));
  toast("Text copied");
}

export async function copyLink(scope: TimelineScope, item: MessageItem): Promise<void> {
  await attempt("Could not copy", () => navigator.clipboard.writeText(scope.timeline.permalink(item.id)));
  toast("Link copied");
}

/** Everything that one can do with a message, for right-click, long press, `Shift+F10` and the toolbar. */
export function messageMenu(scope: TimelineScope, item: MessageItem): MenuGroups {
  if (item.status === "failed" || item.status === "waiting") return [{ entries: unsentEntries(scope, item) }];
  if (item.status === "sending") return [{ entries: [copyEntry(item)] }];
  return [
    { entries: answerEntries(scope, item) },
    { entries: ownEntries(scope, item) },
    { entries: deleteEntries(scope, item) },
  ];
}

function unsentEntries(scope: TimelineScope, item: MessageItem): MenuEntry[] {
  return [
    {
      id: "retry",
      label: "Try again",
      icon: "refresh",
      onAction: () => void attempt("Not sent", () => scope.timeline.retry(item.key)),
    },
    copyEntry(item),
    { id: "discard", label: "Discard", icon: "trash", danger: true, onAction: () => scope.timeline.discard(item.key) },
  ];
}

function answerEntries(scope: TimelineScope, item: MessageItem): MenuEntry[] {
  if (!item.can.reply) return [];
  const entries: MenuEntry[] = [
    { id: "reply", label: "Reply", icon: "reply", keys: "R", onAction: () => scope.composer.replyTo(quoteOf(item)) },
  ];
  if (!scope.inThread) {
    entries.push({
      id: "thread",
      label: "Reply in thread",
      icon: "thread",
      keys: "T",
      onAction: () => scope.openThread(item.id),
    });
  }
  return entries;
}

function ownEntries(scope: TimelineScope, item: MessageItem): MenuEntry[] {
  const entries: MenuEntry[] = [];
  if (item.can.edit)
    entries.push({ id: "edit", label: "Edit", icon: "edit", keys: "E", onAction: () => startEdit(scope, item.id) });
  if (item.body.kind === "undecryptable" && item.body.canRetry) {
    const retry = () => void attempt("Not decrypted", () => scope.timeline.retryDecryption(item.id));
    entries.push({ id: "decrypt", label: "Request the key again", icon: "key", onAction: retry });
  }
  if (item.body.kind !== "redacted") entries.push(copyEntry(item));
  entries.push({ id: "link", label: "Copy link", icon: "link", keys: "L", onAction: () => void copyLink(scope, item) });
  return entries;
}

function deleteEntries(scope: TimelineScope, item: MessageItem): MenuEntry[] {
  if (!item.can.redact) return [];
  return [
    { id: "delete", label: "Delete…", icon: "trash", keys: "Del", danger: true, onAction: () => scope.askDelete(item) },
  ];
}

function copyEntry(item: MessageItem): MenuEntry {
  return { id: "copy", label: "Copy text", icon: "copy", keys: "C", onAction: () => void copyText(item) };
}
