import { type RefObject, useLayoutEffect } from "react";
import type { Selected } from "../../models/composer/caret.ts";
import type { Draft } from "../../models/composer/draft.ts";
import type { ComposerModel } from "../../models/room/model.ts";

const MAX_LINES = 12;
const LINE_PX = 22;

/** Lets the text area grow with its text, moves the focus into it for replies and edits, and applies edits with their selection. */
export function useTextArea(
  area: RefObject<HTMLTextAreaElement | null>,
  draft: Draft,
  composer: ComposerModel,
): (next: Selected) => void {
  const { text, editing, replyTo } = draft;
  useLayoutEffect(() => {
    if (area.current?.value === text) fit(area.current);
  }, [area, text]);
  const editedId = editing?.id;
  const repliedId = replyTo?.id;
  useLayoutEffect(() => {
    const element = area.current;
    if (!element || (!editedId && !repliedId)) return;
    element.focus();
    element.setSelectionRange(element.value.length, element.value.length);
  }, [area, editedId, repliedId]);
  return (next) => {
    composer.edit({ text: next.text });
    requestAnimationFrame(() => {
      area.current?.focus();
      area.current?.setSelectionRange(next.start, next.end);
    });
  };
}

/** The text with its selection; at the end while the area is not there. */
export function selectionOf(element: HTMLTextAreaElement | null, text: string): Selected {
  if (!element) return { text, start: text.length, end: text.length };
  return { text, start: element.selectionStart, end: element.selectionEnd };
}

/** Makes the area as high as its text, up to twelve lines or 40 % of the window. */
function fit(element: HTMLTextAreaElement): void {
  const limit = Math.min(MAX_LINES * LINE_PX, Math.round(window.innerHeight * 0.4));
  element.style.height = "auto";
  const wanted = element.scrollHeight;
  element.style.height = `${Math.min(limit, wanted)}px`;
  element.style.overflowY = wanted > limit ? "auto" : "hidden";
}
