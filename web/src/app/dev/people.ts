import type { MessageItem, Person, SystemItem, UploadItem } from "../../models/timeline/item.ts";
import type { RoomEntry } from "../../models/rooms/entry.ts";
import { fromMarkdown } from "../../models/format/fromMarkdown.ts";
import { toPlain } from "../../models/format/rich.ts";

/* Invented people for the development page: the scene of the design's picture. */

export const MARA: Person = { id: "@mara:northwind.example", name: "Mara Silva" };
export const ANA: Person = { id: "@ana:northwind.example", name: "Ana Duarte" };
export const KENJI: Person = { id: "@kenji:northwind.example", name: "Kenji Mori" };
export const PRIYA: Person = { id: "@priya:northwind.example", name: "Priya Rao" };
export const BOT: Person = { id: "@deploy-bot:northwind.example", name: "deploy-bot" };
export const EVERYONE = [MARA, ANA, KENJI, PRIYA, BOT];

const today = new Date();

/** A time of today, or of an earlier day. */
export function at(hours: number, minutes: number, daysAgo = 0): number {
  return new Date(today.getFullYear(), today.getMonth(), today.getDate() - daysAgo, hours, minutes).getTime();
}

let lastId = 0;

// oxlint-disable-next-line max-params -- a scene reads best as who, when, what
export function say(sender: Person, at_ms: number, markdown: string, more: Partial<MessageItem> = {}): MessageItem {
  lastId += 1;
  const id = `$event${lastId}`;
  const nodes = fromMarkdown(markdown, EVERYONE);
  return {
    type: "message",
    key: id,
    id,
    sender,
    at_ms,
    body: { kind: "text", nodes },
    text: toPlain(nodes),
    edited: false,
    mine: sender === MARA,
    mentionsMe: false,
    reactions: [],
    status: "sent",
    seenBy: [],
    can: { edit: sender === MARA, redact: sender === MARA, reply: true, react: true },
    ...more,
  };
}

export function change(at_ms: number, text: string, member?: SystemItem["member"]): SystemItem {
  lastId += 1;
  return { type: "system", key: `$event${lastId}`, id: `$event${lastId}`, at_ms, text, member };
}

export function upload(at_ms: number, more: Partial<UploadItem> = {}): UploadItem {
  return {
    type: "upload",
    key: "upload 1",
    at_ms,
    sender: MARA,
    name: "explain-replica.txt",
    size_bytes: 1_800_000,
    sent_bytes: 1_100_000,
    encrypted: true,
    phase: "uploading",
    inTabOnly: false,
    ...more,
  };
}

function entry(id: string, more: Partial<RoomEntry>): RoomEntry {
  const base = { kind: "public", membership: "join", unread: false, count: 0, lastActive_ms: 0 } as const;
  return { ...base, id: `!${id}`, name: id, draft: false, muted: false, ...more };
}

export const ROOMS: RoomEntry[] = [
  entry("incident-0412", { kind: "private" }),
  entry("platform", { unread: true }),
  entry("release-train", { unread: true, count: 2 }),
  entry("design", { draft: true }),
  entry("payroll", { kind: "restricted" }),
  entry("Ana Duarte", { kind: "direct", peer: ANA.id, presence: "online", unread: true, count: 1, lastActive_ms: 3 }),
  entry("Kenji Mori", { kind: "direct", peer: KENJI.id, presence: "offline", lastActive_ms: 2 }),
  entry("Priya, Tom", { kind: "direct", lastActive_ms: 1 }),
  entry("hiring", { kind: "private", membership: "invite", inviter: "Priya Rao" }),
];
