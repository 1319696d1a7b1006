/** What a message shows, from its event (Matrix client-server API, "Instant messaging"). */
import { EventType, type MatrixEvent, MsgType, type Room } from "matrix-js-sdk";
import { fromPlain } from "../format/links.ts";
import { parseHtml } from "../format/parseHtml.ts";
import { type Rich, toPlain } from "../format/rich.ts";
import { bytes } from "../format/size.ts";
import type { EncryptedFile, MediaSource, MessageBody } from "../timeline/item.ts";
import { contentOf } from "./edits.ts";
import { decryptionReason } from "./failure.ts";
import { personIn } from "./person.ts";
import { parts, size, text } from "./safe.ts";

/** A body, and its text on one line: for quotes, copies and screen readers. */
export interface Told {
  body: MessageBody;
  text: string;
}

const HTML = "org.matrix.custom.html";
const VERIFICATION = "m.key.verification.request";
/** Pictures that a browser draws without running anything. Others are offered as files. */
const DRAWN = /^image\/(png|jpeg|gif|webp|avif|bmp)$/;
const EMOJI_ONLY =
  /^(?:(?:\p{Extended_Pictographic}|\p{Regional_Indicator})[\uFE0F\u200D\p{Emoji_Modifier}]*\s*){1,6}$/u;

/** Contents are never changed in place, so what was made of one can be kept with it. */
const made = new WeakMap<object, Told>();

/** The body of a message. */
export function bodyOf(room: Room, event: MatrixEvent): Told {
  if (event.isRedacted()) return redacted(room, event);
  if (event.isDecryptionFailure()) return undecryptable(event);
  if (event.isBeingDecrypted() || (event.isEncrypted() && !event.getClearContent())) return decrypting();
  const raw = contentOf(event);
  const known = made.get(raw);
  if (known) return known;
  const told = ofContent(parts(raw), event.getType() === (EventType.Sticker as string));
  made.set(raw, told);
  return told;
}

function ofContent(content: Record<string, unknown>, isSticker: boolean): Told {
  if (isSticker) return imageBody(content, true);
  switch (content["msgtype"]) {
    case MsgType.Image:
      return DRAWN.test(mimeOf(content, "image/png")) ? imageBody(content, false) : fileBody(content, "file");
    case MsgType.File:
      return fileBody(content, "file");
    case MsgType.Video:
      return fileBody(content, "video");
    case MsgType.Audio:
      return fileBody(content, "audio");
    case MsgType.Notice:
      return textBody("notice", content);
    case MsgType.Emote:
      return textBody("emote", content);
    case VERIFICATION:
      return { body: { kind: "unsupported", text: "Asked to verify each other" }, text: "Asked to verify each other" };
    default:
      return textBody("text", content);
  }
}

function redacted(room: Room, event: MatrixEvent): Told {
  const because = parts(event.getUnsigned().redacted_because);
  const sender = text(because["sender"]);
  const reason = text(parts(because["content"])["reason"]);
  const by = sender ? personIn(room, sender).name : "";
  return { body: { kind: "redacted", by, ...(reason ? { reason } : {}) }, text: "Deleted" };
}

function undecryptable(event: MatrixEvent): Told {
  const why = decryptionReason(event.decryptionFailureReason);
  return { body: { kind: "undecryptable", ...why }, text: why.reason };
}

function decrypting(): Told {
  const reason = "Decrypting…";
  return { body: { kind: "undecryptable", reason, canRetry: false, waiting: true }, text: reason };
}

function textBody(kind: "text" | "notice" | "emote", content: Record<string, unknown>): Told {
  const plain = withoutQuote(text(content["body"]) ?? "");
  const nodes = richOf(content, plain);
  if (nodes.length === 0) {
    return { body: { kind: "unsupported", text: "An empty message" }, text: "An empty message" };
  }
  const onlyEmoji = EMOJI_ONLY.test(plain);
  return { body: { kind, nodes, ...(onlyEmoji ? { onlyEmoji } : {}) }, text: plain.trim() || toPlain(nodes) };
}

function richOf(content: Record<string, unknown>, plain: string): Rich[] {
  const html = content["format"] === HTML ? text(content["formatted_body"]) : undefined;
  if (html === undefined) return plain.trim() === "" ? [] : fromPlain(plain);
  const nodes = parseHtml(html);
  return nodes.length === 0 && plain.trim() !== "" ? fromPlain(plain) : nodes;
}

/** Older clients repeat what they answer to at the beginning of the text. */
function withoutQuote(body: string): string {
  return body.startsWith("> <") ? body.replace(/^(?:>.*\n)+\n?/, "") : body;
}

function imageBody(content: Record<string, unknown>, sticker: boolean): Told {
  const info = parts(content["info"]);
  const full = sourceOf(content, mimeOf(content, "image/png"));
  const small = fileOf(info["thumbnail_file"]);
  const mxc = text(info["thumbnail_url"]) ?? small?.url;
  const mime = text(parts(info["thumbnail_info"])["mimetype"]) ?? "image/png";
  const preview = mxc && DRAWN.test(mime) ? { ...full, mxc, mime, file: small, size_bytes: undefined } : full;
  return {
    body: {
      kind: "image",
      full,
      preview,
      width: size(info["w"]) || 320,
      height: size(info["h"]) || 240,
      caption: captionOf(content),
      sticker,
    },
    text: `${sticker ? "Sticker" : "Picture"}: ${full.name}`,
  };
}

function fileBody(content: Record<string, unknown>, kind: "file" | "video" | "audio"): Told {
  const source = sourceOf(content, mimeOf(content, "application/octet-stream"));
  const caption = captionOf(content);
  const told = `${source.name}${source.size_bytes === undefined ? "" : ` (${bytes(source.size_bytes)})`}`;
  if (kind === "file") return { body: { kind, source, caption }, text: told };
  const duration_ms = size(parts(content["info"])["duration"]);
  return { body: { kind, source, duration_ms, caption }, text: told };
}

function sourceOf(content: Record<string, unknown>, mime: string): MediaSource {
  const file = fileOf(content["file"]);
  return {
    mxc: text(content["url"]) ?? file?.url ?? "",
    mime,
    name: text(content["filename"]) || text(content["body"]) || "file",
    size_bytes: size(parts(content["info"])["size"]),
    file,
  };
}

/** The key and address of an encrypted file; undefined when a part of them is missing. */
function fileOf(value: unknown): EncryptedFile | undefined {
  const file = parts(value);
  const complete =
    text(file["url"]) && text(file["iv"]) && text(parts(file["key"])["k"]) && text(parts(file["hashes"])["sha256"]);
  return complete ? (file as unknown as EncryptedFile) : undefined;
}

function mimeOf(content: Record<string, unknown>, otherwise: string): string {
  return text(parts(content["info"])["mimetype"]) ?? otherwise;
}

/** A file's own words beside its name: `filename` is there and `body` says something else. */
function captionOf(content: Record<string, unknown>): Rich[] | undefined {
  const name = text(content["filename"]);
  const body = text(content["body"]);
  return name !== undefined && body !== undefined && body !== name ? richOf(content, body) : undefined;
}
