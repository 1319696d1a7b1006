import { dayKey } from "../format/time.ts";
import type { MessageItem, SystemItem, TimelineItem, UploadItem } from "./item.ts";
import { systemSentence } from "./system.ts";

/** The items with the files that are on their way: each before the messages that were written after it and wait as it does. */
export function withUploads(items: TimelineItem[], uploads: UploadItem[]): TimelineItem[] {
  const all = [...items];
  for (const upload of uploads) {
    const later = all.findIndex((item) => item.type === "message" && isUnsent(item) && item.at_ms > upload.at_ms);
    all.splice(later === -1 ? all.length : later, 0, upload);
  }
  return all;
}

/** Before the server has answered, its id is a local one. */
function isUnsent({ id, status }: MessageItem): boolean {
  return status !== "sent" && id.startsWith("~");
}

/** A line of the timeline as it is drawn. */
export type Row =
  | { type: "start"; key: "start" }
  | { type: "day"; key: string; at_ms: number }
  | { type: "new"; key: "new" }
  | { type: "replies"; key: "replies"; replies: number }
  | { type: "message"; key: string; item: MessageItem; continued: boolean }
  | { type: "upload"; key: string; item: UploadItem; continued: boolean }
  | { type: "system"; key: string; text: string; items: SystemItem[] };

/** Messages of one author closer together than this are one run: the name and picture stand only above the first. */
const RUN_LIMIT_MS = 5 * 60_000;

export interface RowOptions {
  /** The message before which the "New" line stands. */
  newFrom: string | null;
  /** The beginning of the room's history is loaded. */
  atStart: boolean;
  /** A message that stands above the rows, such as the first of a thread: its day needs no separator. */
  after_ms?: number | undefined;
}

/**
 * The rows for the items, which are in the order of the timeline: a separator where the day changes, the "New" line once,
 * runs of one author drawn together, and changes of the room in a row told in one sentence.
 */
export function toRows(items: TimelineItem[], options: RowOptions): Row[] {
  const rows: Row[] = options.atStart ? [{ type: "start", key: "start" }] : [];
  let day = options.after_ms === undefined ? "" : dayKey(options.after_ms);
  for (const item of items) {
    const key = dayKey(item.at_ms);
    if (key !== day) rows.push({ type: "day", key: `day ${key}`, at_ms: item.at_ms });
    day = key;
    if (item.type === "message" && item.id === options.newFrom) rows.push({ type: "new", key: "new" });
    addItem(rows, item);
  }
  return rows;
}

function addItem(rows: Row[], item: TimelineItem): void {
  const last = rows.at(-1);
  if (item.type !== "system") {
    const continued = continues(last, item);
    rows.push(
      item.type === "message"
        ? { type: "message", key: item.key, item, continued }
        : { type: "upload", key: item.key, item, continued },
    );
    return;
  }
  if (last?.type !== "system") {
    rows.push({ type: "system", key: item.key, text: item.text, items: [item] });
    return;
  }
  const items = [...last.items, item];
  rows[rows.length - 1] = { ...last, items, text: systemSentence(items) };
}

function continues(last: Row | undefined, item: MessageItem | UploadItem): boolean {
  if (last?.type !== "message" && last?.type !== "upload") return false;
  const before = last.item;
  if (before.sender.id !== item.sender.id || item.at_ms - before.at_ms > RUN_LIMIT_MS) return false;
  if (item.type === "upload") return true;
  return !item.replyTo && !isEmote(item) && !(before.type === "message" && isEmote(before));
}

function isEmote(item: MessageItem): boolean {
  return item.body.kind === "emote";
}

/** The same rows with those of `before` that have not changed, so that only what has changed is drawn again. */
export function reuseRows(before: Row[], after: Row[]): Row[] {
  const known = new Map(before.map((row) => [row.key, row]));
  return after.map((row) => {
    const old = known.get(row.key);
    return old && sameRow(old, row) ? old : row;
  });
}

function sameRow(a: Row, b: Row): boolean {
  if (a.type === "system" && b.type === "system") {
    return a.text === b.text && a.items.length === b.items.length && a.items.at(-1)?.id === b.items.at(-1)?.id;
  }
  if ((a.type === "message" && b.type === "message") || (a.type === "upload" && b.type === "upload")) {
    return a.item === b.item && a.continued === b.continued;
  }
  if (a.type === "day" && b.type === "day") return a.at_ms === b.at_ms;
  if (a.type === "replies" && b.type === "replies") return a.replies === b.replies;
  return a.type === b.type;
}
