import type { Rich } from "../format/rich.ts";

/** Someone as a row shows them. */
export interface Person {
  id: string;
  name: string;
  avatarMxc?: string | undefined;
}

/** Where the bytes of a file are, and how to read them. `file` holds the key of an encrypted one. */
export interface MediaSource {
  mxc: string;
  mime: string;
  name: string;
  size_bytes?: number | undefined;
  file?: EncryptedFile | undefined;
}

/** The `EncryptedFile` of the Matrix specification (m.room.message, "Sending encrypted attachments"). */
export interface EncryptedFile {
  url: string;
  key: { alg: string; ext: boolean; k: string; key_ops: string[]; kty: string };
  iv: string;
  hashes: { sha256: string };
  v: string;
}

export interface ImageBody {
  kind: "image";
  full: MediaSource;
  /** The small one; the full one when there is none. */
  preview: MediaSource;
  width: number;
  height: number;
  caption?: Rich[] | undefined;
  sticker?: boolean;
}

export type MessageBody =
  | { kind: "text" | "notice" | "emote"; nodes: Rich[]; onlyEmoji?: boolean }
  | ImageBody
  | { kind: "video" | "audio"; source: MediaSource; duration_ms?: number | undefined; caption?: Rich[] | undefined }
  | { kind: "file"; source: MediaSource; caption?: Rich[] | undefined }
  | { kind: "redacted"; by: string; reason?: string | undefined }
  | { kind: "undecryptable"; reason: string; canRetry: boolean; waiting: boolean }
  | { kind: "unsupported"; text: string };

export interface Reaction {
  key: string;
  count: number;
  /** Who, at most ten names. */
  names: string[];
  mine: boolean;
}

export interface Quote {
  id: string;
  sender: Person | null;
  text: string;
}

/** How a message of one's own stands; `waiting` is sent by itself when the connection is back. */
export type SendStatus = "sent" | "sending" | "waiting" | "failed";

export interface MessageItem {
  type: "message";
  /** Stays the same while the local echo becomes the event, so the row is not made anew. */
  key: string;
  /** The event id; a local one (`~…`) before the server has answered. */
  id: string;
  sender: Person;
  at_ms: number;
  body: MessageBody;
  /** One line of plain text: quotes, copies, screen readers. */
  text: string;
  edited: boolean;
  mine: boolean;
  mentionsMe: boolean;
  replyTo?: Quote | undefined;
  reactions: Reaction[];
  /** Of its first message. What is unread of it, with or without one's name, is what one would be told of. */
  thread?: { count: number; last_ms: number; unread: number; mentions: number } | undefined;
  status: SendStatus;
  /** Why it failed, as a sentence without its full stop. */
  failure?: string | undefined;
  /** Set when the sending device is not one that its owner has confirmed. */
  deviceWarning?: string | undefined;
  /** Of the newest of one's own messages, in small rooms: the server has it, or a device of every other member does. */
  arrived?: "sent" | "delivered" | undefined;
  /** Who has read it, for the same message. */
  seenBy: Person[];
  can: { edit: boolean; redact: boolean; reply: boolean; react: boolean };
}

/** A change of the room that is told in a sentence: joins, names, topics. */
export interface SystemItem {
  type: "system";
  key: string;
  id: string;
  at_ms: number;
  text: string;
  /** Present for a change of membership; several of a kind in a row become one sentence. */
  member?: { action: MemberAction; name: string } | undefined;
}

export type MemberAction = "joined" | "left" | "invited" | "declined" | "removed" | "banned" | "unbanned" | "renamed";

/** A file of one's own on its way to the server. */
export interface UploadItem {
  type: "upload";
  key: string;
  at_ms: number;
  sender: Person;
  name: string;
  size_bytes: number;
  sent_bytes: number;
  encrypted: boolean;
  /** `queued` is behind others of the room; `waiting` is sent by itself when the connection is back. */
  phase: "queued" | "waiting" | "preparing" | "encrypting" | "uploading" | "sending" | "failed";
  failure?: string | undefined;
  /** Too large to be kept, or there is no place for it: it is lost when the page is closed. */
  inTabOnly: boolean;
}

export type TimelineItem = MessageItem | SystemItem | UploadItem;
