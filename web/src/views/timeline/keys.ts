import type { KeyboardEvent } from "react";
import type { Row } from "../../models/timeline/rows.ts";
import { attempt } from "../../ui/Toast.tsx";
import type { TimelineScope } from "./actions.ts";
import { copyLink, copyText, quoteOf, startEdit } from "./messageMenu.ts";

const PAGE = 10;

/** Which row the focus goes to for a key that moves, null for another key. */
export function movedIndex(key: string, index: number, count: number): number | null {
  const last = count - 1;
  switch (key) {
    case "j":
    case "ArrowDown":
      return Math.min(last, index + 1);
    case "k":
    case "ArrowUp":
      return Math.max(0, index - 1);
    case "PageDown":
      return Math.min(last, index + PAGE);
    case "PageUp":
      return Math.max(0, index - PAGE);
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return null;
  }
}

/** What a key does to the message that has the focus; true when it did something. */
export function actOnKey(scope: TimelineScope, row: Row, event: KeyboardEvent<HTMLElement>): boolean {
  if (row.type !== "message" || event.ctrlKey || event.metaKey || event.altKey) return false;
  const { item } = row;
  const box = event.currentTarget.getBoundingClientRect();
  if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) {
    scope.openMenu(item, { x: box.left + 68, y: Math.min(box.bottom, window.innerHeight - 80) });
    return true;
  }
  const actions: Record<string, (() => void) | false> = {
    Enter: !scope.inThread && (() => scope.openThread(item.id)),
    t: !scope.inThread && item.can.reply && (() => scope.openThread(item.id)),
    r: item.can.reply && (() => scope.composer.replyTo(quoteOf(item))),
    e: item.can.edit && (() => startEdit(scope, item.id)),
    "+": item.can.react && (() => scope.openPicker(item, event.currentTarget)),
    c: () => void copyText(item),
    l: () => void copyLink(scope, item),
    Delete: item.can.redact && (() => scope.askDelete(item)),
    "1": item.can.react && (() => void react(scope, item.id, "👍")),
    "2": item.can.react && (() => void react(scope, item.id, "👀")),
    "3": item.can.react && (() => void react(scope, item.id, "🙏")),
  };
  const action = actions[event.key];
  if (!action) return false;
  action();
  return true;
}

function react(scope: TimelineScope, eventId: string, key: string): Promise<boolean> {
  return attempt("Could not react", () => scope.timeline.toggleReaction(eventId, key));
}
