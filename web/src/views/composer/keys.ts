import type { KeyboardEvent } from "react";
import { insideFence, type Selected, toggleMark } from "../../models/composer/caret.ts";
import type { Draft } from "../../models/composer/draft.ts";
import type { ComposerModel, TimelineModel } from "../../models/room/model.ts";

export interface KeyContext {
  composer: ComposerModel;
  timeline: TimelineModel;
  draft: Draft;
  change: (edit: (selected: Selected) => Selected) => void;
  attach: () => void;
}

/** What a key does in the composer; true when it did something. */
export function keyAction(event: KeyboardEvent<HTMLTextAreaElement>, context: KeyContext): boolean {
  const ctrl = event.ctrlKey || event.metaKey;
  if (ctrl) return formatKey(event, context);
  switch (event.key) {
    case "Enter":
      return enter(event, context);
    case "ArrowUp":
      return editLast(context);
    case "Escape":
      if (!context.draft.editing && !context.draft.replyTo) return false;
      context.composer.cancel();
      event.stopPropagation();
      return true;
    default:
      return false;
  }
}

function enter(event: KeyboardEvent<HTMLTextAreaElement>, { composer, draft }: KeyContext): boolean {
  if (event.shiftKey || insideFence(draft.text, event.currentTarget.selectionStart)) return false;
  composer.send();
  return true;
}

/** Arrow up in an empty composer changes the last own message. */
function editLast({ composer, timeline, draft }: KeyContext): boolean {
  if (draft.text !== "" || draft.editing) return false;
  const eventId = timeline.lastEditable();
  const last = eventId && timeline.draftOf(eventId);
  if (!last) return false;
  composer.startEditing(eventId, last);
  return true;
}

function formatKey(event: KeyboardEvent, { change, attach }: KeyContext): boolean {
  const marks: Record<string, string> = { b: "**", i: "_", X: "~~", C: "`" };
  const mark = marks[event.shiftKey ? event.key.toUpperCase() : event.key.toLowerCase()];
  if (mark) {
    change((selected) => toggleMark(selected, mark));
    return true;
  }
  if (event.key !== "u" || event.shiftKey) return false;
  attach();
  return true;
}
