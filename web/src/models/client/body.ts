/** What a message shows, from its event (Matrix client-server API, "Instant messaging"). */
import { type MatrixEvent, MsgType, type Room } from "matrix-js-sdk";
import { DecryptionFailureCode } from "matrix-js-sdk/lib/crypto-api/index.js";
import { parseHtml } from "../format/parseHtml.ts";
import { fromPlain } from "../format/links.ts";
import { type Rich, toPlain } from "../format/rich.ts";
import { bytes } from "../format/size.ts";
import type { EncryptedFile, ImageBody, MediaSource, MessageBody } from "../timeline/item.ts";
import { personIn } from "./person.ts";

/** Why a message cannot be read, as a sentence; whether asking again may help. */
const REASONS: Partial<Record<DecryptionFailureCode, [reason: string, canRetry: boolean]>> = {
  [DecryptionFailureCode.MEGOLM_UNKNOWN_INBOUND_SESSION_ID]: ["The key for this message has not arrived yet.", true],
  [DecryptionFailureCode.MEGOLM_KEY_WITHHELD]: ["The sender did not share the key for this message with you.", false],
  [DecryptionFailureCode.MEGOLM_KEY_WITHHELD_FOR_UNVERIFIED_DEVICE]: [
    "The sender shares keys with verified devices only. Verify this one.",
    true,
  ],
  [DecryptionFailureCode.OLM_UNKNOWN_MESSAGE_INDEX]: [
    "This message is older than the key that was shared with you.",
    true,
  ],
  [DecryptionFailureCode.HISTORICAL_MESSAGE_NO_KEY_BACKUP]: [
    "Sent before this device signed in, and there is no key backup.",
    false,
  ],
  [DecryptionFailureCode.HISTORICAL_MESSAGE_BACKUP_UNCONFIGURED]: [
    "Sent before this device signed in. Unlock older messages to read it.",
    true,
  ],
  [DecryptionFailureCode.HISTORICAL_MESSAGE_WORKING_BACKUP]: [
    "Sent before this device signed in. Its key is being looked for in the backup.",
    true,
  ],
  [DecryptionFailureCode.HISTORICAL_MESSAGE_USER_NOT_JOINED]: ["Sent before you joined.", false],
  [DecryptionFailureCode.SENDER_IDENTITY_PREVIOUSLY_VERIFIED]: [
    "The sender's identity has changed. Verify them again.",
    true,
  ],
  [DecryptionFailureCode.UNSIGNED_SENDER_DEVICE]: ["Sent from a device that its owner has not confirmed.", true],
  [DecryptionFailureCode.UNKNOWN_SENDER_DEVICE]: ["Sent from a device that is not known.", true],
};

/** The body of a message, and its text in one line. */
export function bodyOf(room: Room, event: MatrixEvent): { body: MessageBody; text: string } {
  if (event.isRedacted()) return redacted(room, event);
  if (event.isDecryptionFailure()) return undecryptable(event);
  if (event.isBeingDecrypted() || (event.isEncrypted() && !event.getClearContent()))
    return {
      body: { kind: "undecryptable", reason: "Decrypting…", canRetry: false, waiting: true },
      text: "Decrypting…",
    };
  const content = event.getContent<Content>();
  if (event.getType() === "m.sticker") return imageBody(content, true);
  switch (content.msgtype) {
    case MsgType.Image:
      return imageBody(content, false);
    case MsgType.File:
    case MsgType.Video:
    case MsgType.Audio:
      return fileBody(content);
    case MsgType.Notice:
      return textBody("notice", content);
    case MsgType.Emote:
      return textBody("emote", content);
    default:
      return typeof content.body === "string"
        ? textBody("text", content)
        : {
            body: { kind: "unsupported", text: "This kind of message is not understood here." },
            text: "A message of another kind",
          };
  }
}

interface Content {
  msgtype?: string;
  body?: string;
  filename?: string;
  format?: string;
  formatted_body?: string;
  url?: string;
  file?: EncryptedFile;
  info?: {
    w?: number;
    h?: number;
    size?: number;
    mimetype?: string;
    duration?: number;
    thumbnail_url?: string;
    thumbnail_file?: EncryptedFile;
    thumbnail_info?: { mimetype?: string };
  };
}

function redacted(room: Room, event: MatrixEvent): { body: MessageBody; text: string } {
  const because = event.getUnsigned().redacted_because;
  const by = because?.sender ? personIn(room, because.sender).name : "someone";
  const reason = (because?.content as { reason?: unknown } | undefined)?.reason;
  return {
    body: { kind: "redacted", by, ...(typeof reason === "string" && reason !== "" ? { reason } : {}) },
    text: "Message deleted",
  };
}

function undecryptable(event: MatrixEvent): { body: MessageBody; text: string } {
  const [reason, canRetry] = REASONS[event.decryptionFailureReason ?? DecryptionFailureCode.UNKNOWN_ERROR] ?? [
    "This message can not be decrypted.",
    true,
  ];
  return { body: { kind: "undecryptable", reason, canRetry, waiting: false }, text: reason };
}

function textBody(kind: "text" | "notice" | "emote", content: Content): { body: MessageBody; text: string } {
  const plain = withoutQuote(content.body ?? "");
  const isHtml = content.format === "org.matrix.custom.html" && typeof content.formatted_body === "string";
  const nodes = isHtml ? parseHtml(content.formatted_body as string) : fromPlain(plain);
  const onlyEmoji = !isHtml && /^(?:\p{Extended_Pictographic}[\uFE0F\u200D\p{Emoji_Modifier}]*\s*){1,6}$/u.test(plain);
  return { body: { kind, nodes, ...(onlyEmoji ? { onlyEmoji } : {}) }, text: isHtml ? toPlain(nodes) : plain };
}

/** Older clients repeat what they answer to at the beginning of the text. */
function withoutQuote(body: string): string {
  return /^> </.test(body) ? body.replace(/^(?:>.*\n)+\n?/, "") : body;
}

function source(content: Content, mime: string): MediaSource {
  return {
    mxc: content.url ?? content.file?.url ?? "",
    mime,
    name: content.filename ?? content.body ?? "file",
    size_bytes: content.info?.size,
    file: content.file,
  };
}

/** A file's own words beside its name (Matrix 1.10: `filename` and `body` differ). */
function captionOf(content: Content): Rich[] | undefined {
  const isCaption = content.filename !== undefined && content.body !== undefined && content.body !== content.filename;
  return isCaption ? fromPlain(content.body as string) : undefined;
}

function imageBody(content: Content, sticker: boolean): { body: MessageBody; text: string } {
  const { info } = content;
  const full = source(content, info?.mimetype ?? "image/png");
  const small = info?.thumbnail_file ?? undefined;
  const mxc = info?.thumbnail_url ?? small?.url;
  const preview = mxc
    ? { ...full, mxc, mime: info?.thumbnail_info?.mimetype ?? "image/webp", file: small, size_bytes: undefined }
    : full;
  const body: ImageBody = {
    kind: "image",
    full,
    preview,
    width: info?.w ?? 320,
    height: info?.h ?? 240,
    caption: captionOf(content),
    sticker,
  };
  return { body, text: `${sticker ? "Sticker" : "Image"}: ${full.name}` };
}

function fileBody(content: Content): { body: MessageBody; text: string } {
  const file = source(content, content.info?.mimetype ?? "application/octet-stream");
  const text = `${file.name}${file.size_bytes === undefined ? "" : ` (${bytes(file.size_bytes)})`}`;
  const caption = captionOf(content);
  if (content.msgtype === MsgType.File) return { body: { kind: "file", source: file, caption }, text };
  const kind = content.msgtype === MsgType.Video ? "video" : "audio";
  return { body: { kind, source: file, duration_ms: content.info?.duration, caption }, text };
}
