import { createStore } from "zustand/vanilla";
import { EMPTY_DRAFT, type Draft } from "../../models/composer/draft.ts";
import { fromMarkdown } from "../../models/format/fromMarkdown.ts";
import { toPlain } from "../../models/format/rich.ts";
import type { ComposerModel, TimelineModel, TimelineSnapshot } from "../../models/room/model.ts";
import type { TimelineItem } from "../../models/timeline/item.ts";
import { type Row, toRows } from "../../models/timeline/rows.ts";
import { EVERYONE, MARA, say } from "./people.ts";

const PAGE = 30;

/** A timeline with invented history of `older` messages, and a composer that writes into it. */
export function fakeTimeline(
  first: TimelineItem[],
  options: { newFrom: string | null; older: number; head?: Row[]; after_ms?: number },
) {
  let items = first;
  let left = options.older;
  const rowsOf = (): Row[] => [
    ...(options.head ?? []),
    ...toRows(items, { newFrom: options.newFrom, atStart: left === 0 && !options.head, after_ms: options.after_ms }),
  ];
  const store = createStore<TimelineSnapshot>(() => ({
    rows: rowsOf(),
    ready: true,
    hasOlder: left > 0,
    loadingOlder: false,
    error: null,
    unreadAtOpen: 3,
  }));
  const refresh = () => store.setState({ rows: rowsOf(), hasOlder: left > 0, loadingOlder: false });
  const replace = (id: string, change: (item: TimelineItem) => TimelineItem) => {
    items = items.map((item) => (item.key === id ? change(item) : item));
    refresh();
  };
  const remove = (key: string) => {
    items = items.filter((item) => item.key !== key);
    refresh();
  };
  const loadOlder = async () => {
    if (left === 0 || store.getState().loadingOlder) return;
    store.setState({ loadingOlder: true });
    await new Promise((done) => setTimeout(done, 300));
    items = [...invent(items[0]?.at_ms ?? 0, Math.min(PAGE, left)), ...items];
    left = Math.max(0, left - PAGE);
    refresh();
  };
  const timeline: TimelineModel = {
    store,
    activate: () => () => undefined,
    loadOlder,
    reach: async (id) => items.some((item) => item.key === id),
    async toggleReaction(id, key) {
      replace(id, (item) => toggled(item, key));
      return "sent";
    },
    async redact(id) {
      replace(id, (item) => ({ ...item, body: { kind: "redacted", by: MARA.name } }) as TimelineItem);
      return "sent";
    },
    retry: async (key) => replace(key, (item) => ({ ...item, status: "sent" }) as TimelineItem),
    discard: remove,
    cancelUpload: remove,
    retryDecryption: async () => undefined,
    markRead: () => undefined,
    draftOf: (id) => {
      const item = items.find((other) => other.key === id);
      return item?.type === "message" ? { ...EMPTY_DRAFT, text: item.text } : null;
    },
    lastEditable: () => items.findLast((item) => item.type === "message" && item.mine)?.key ?? null,
    permalink: (id) => `${location.origin}/c/x/m/${id}`,
  };
  const composer = fakeComposer((text) => {
    items = [...items, say(MARA, Date.now(), text, { text: toPlain(fromMarkdown(text)) })];
    refresh();
  });
  return { timeline, composer };
}

function fakeComposer(onSend: (text: string) => void): ComposerModel {
  const store = createStore<Draft>(() => EMPTY_DRAFT);
  const clear = () => store.setState(EMPTY_DRAFT, true);
  return {
    store,
    edit: (change) => store.setState(change),
    replyTo: (replyTo) => store.setState({ replyTo }),
    startEditing: (id, draft) => store.setState({ ...draft, editing: { id } }),
    cancel: clear,
    send: () => {
      const { text } = store.getState();
      if (text.trim() === "") return;
      clear();
      onSend(text);
    },
    attach: () => undefined,
    typing: () => undefined,
    suggest: (_sign, term) =>
      EVERYONE.filter((person) => person.name.toLowerCase().includes(term.toLowerCase())).map((person) => ({
        ...person,
        detail: person.id,
      })),
  };
}

function toggled(item: TimelineItem, key: string): TimelineItem {
  if (item.type !== "message") return item;
  const existing = item.reactions.find((reaction) => reaction.key === key);
  if (!existing) return { ...item, reactions: [...item.reactions, { key, count: 1, names: [MARA.name], mine: true }] };
  const count = existing.count + (existing.mine ? -1 : 1);
  const reactions = item.reactions.map((reaction) =>
    reaction === existing ? { ...reaction, count, mine: !reaction.mine } : reaction,
  );
  return { ...item, reactions: reactions.filter((reaction) => reaction.count > 0) };
}

/** Older messages of different lengths, ending before `before_ms`. */
function invent(before_ms: number, count: number): TimelineItem[] {
  return Array.from({ length: count }, (_, index) => {
    const sender = EVERYONE[(index >> 1) % EVERYONE.length] ?? MARA;
    const at_ms = before_ms - (count - index) * 25 * 60_000;
    const text = `Message ${count - index} before. ${"Some more words to fill a line or two. ".repeat((index * 7) % 5)}`;
    return say(sender, at_ms, index % 9 === 0 ? `${text}\n\n\`\`\`sql\nselect 1;\n\`\`\`` : text);
  });
}
