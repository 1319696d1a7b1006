import { type KeyboardEvent, type RefObject, useId, useState } from "react";
import { acceptAt, type Query, queryAt, type Selected } from "../../models/composer/caret.ts";
import type { Draft } from "../../models/composer/draft.ts";
import { findEmoji } from "../../models/composer/emoji.ts";
import { type Mention, signed } from "../../models/format/mention.ts";
import type { ComposerModel } from "../../models/room/model.ts";

export interface Suggestion {
  key: string;
  label: string;
  detail: string;
  /** What is put into the text. */
  insert: string;
  emoji?: string;
  mention?: Mention;
  avatarMxc?: string | undefined;
}

interface Options {
  composer: ComposerModel;
  draft: Draft;
  area: RefObject<HTMLTextAreaElement | null>;
  apply: (next: Selected) => void;
}

export type Suggestions = ReturnType<typeof useSuggestions>;

/** The list at the caret: people after `@`, rooms after `#`, emoji after `:`. */
export function useSuggestions({ composer, draft, area, apply }: Options) {
  const listId = useId();
  const [query, setQuery] = useState<Query | null>(null);
  const [found, setFound] = useState<Suggestion[]>([]);
  const [at, setAt] = useState(0);
  const close = () => setQuery(null);
  const show = (next: Query, list: Suggestion[]) => {
    setQuery(list.length > 0 ? next : null);
    setFound(list);
    setAt(0);
  };
  const look = (text: string, caret: number) => {
    const next = queryAt(text, caret);
    if (!next) return close();
    if (next.sign !== ":") return show(next, mentions(composer, next));
    findEmoji(next.term.toLowerCase()).then((list) => show(next, list.map(emojiSuggestion)), close);
  };
  const accept = (suggestion: Suggestion) => {
    const caret = area.current?.selectionStart ?? draft.text.length;
    if (!query) return;
    if (suggestion.mention) composer.edit({ mentions: [...draft.mentions, suggestion.mention] });
    apply(acceptAt(draft.text, caret, { query, insert: suggestion.insert }));
    close();
  };
  const onKey = (event: KeyboardEvent): boolean => {
    const chosen = found[at];
    if (!query || !chosen) return false;
    if (event.key === "ArrowDown") setAt((at + 1) % found.length);
    else if (event.key === "ArrowUp") setAt((at - 1 + found.length) % found.length);
    else if (event.key === "Enter" || event.key === "Tab") accept(chosen);
    else if (event.key === "Escape") close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  const open = query !== null;
  const aria = {
    "aria-autocomplete": "list" as const,
    "aria-controls": open ? listId : undefined,
    "aria-activedescendant": open ? `${listId}-${at}` : undefined,
  };
  return { open, list: found, at, listId, aria, accept, look, close, onKey, setAt };
}

function mentions(composer: ComposerModel, query: Query): Suggestion[] {
  if (query.sign === ":") return [];
  return composer.suggest(query.sign, query.term).map((choice) => ({
    key: choice.id,
    label: choice.name,
    detail: choice.detail,
    insert: signed(choice),
    mention: { id: choice.id, name: choice.name },
    avatarMxc: choice.avatarMxc,
  }));
}

function emojiSuggestion({ emoji, label }: { emoji: string; label: string }): Suggestion {
  return { key: emoji, label, detail: "", insert: emoji, emoji };
}
