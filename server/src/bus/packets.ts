/**
 * How messages travel: many small ones packed into one packet, a large one cut into several.
 *
 * A packet is `<version> <sender> <number> <part> <parts> ` and its text. The text, or that of all parts together, is a row of
 * messages, each `<topic> <length> <message>`, the length in UTF-16 units. A packet of another version is not for this one.
 */
export interface Message {
  topic: string;
  message: string;
}

export interface Packet {
  /** Which process sent it: random for each start. */
  sender: string;
  /** Counts the sender's packets; all parts of one have the same. */
  number: number;
  part: number;
  parts: number;
  text: string;
}

const VERSION = "1";
/** More than any head of a packet takes: five numbers and names. */
const HEAD_BYTES = 64;

/** The texts of packets that carry the messages in their order, none larger than `packet_bytes` with its head. */
export function pack(messages: readonly Message[], packet_bytes: number): string[][] {
  const most = packet_bytes - HEAD_BYTES;
  const packets: string[][] = [];
  let text = "";
  let text_bytes = 0;
  const finish = () => {
    if (text !== "") packets.push([text]);
    text = "";
    text_bytes = 0;
  };
  for (const { topic, message } of messages) {
    const framed = `${topic} ${message.length} ${message}`;
    const bytes = Buffer.byteLength(framed);
    if (text_bytes + bytes > most) finish();
    if (bytes > most) packets.push(cut(framed, most));
    else {
      text += framed;
      text_bytes += bytes;
    }
  }
  finish();
  return packets;
}

/** Pieces of at most so many bytes, none of which ends within a character. */
function cut(text: string, most_bytes: number): string[] {
  const bytes = Buffer.from(text);
  const pieces: string[] = [];
  for (let start = 0; start < bytes.length;) {
    let end = Math.min(start + most_bytes, bytes.length);
    while (end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
    pieces.push(bytes.toString("utf8", start, end));
    start = end;
  }
  return pieces;
}

/** The packet as it is sent. */
export function encodePacket({ sender, number, part, parts, text }: Packet): string {
  return `${VERSION} ${sender} ${number} ${part} ${parts} ${text}`;
}

/** The packet that was sent; undefined for what is none, or of another version. */
export function decodePacket(encoded: string): Packet | undefined {
  const head = /^1 (\S{1,32}) (\d{1,15}) (\d{1,6}) (\d{1,6}) /.exec(encoded);
  if (!head) return undefined;
  const [whole, sender = "", number, part, parts] = head;
  return {
    sender,
    number: Number(number),
    part: Number(part),
    parts: Number(parts),
    text: encoded.slice(whole.length),
  };
}

/** The messages of a text. What is cut off at its end is left out. */
export function unpack(text: string): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at < text.length;) {
    const afterTopic = text.indexOf(" ", at);
    const afterLength = text.indexOf(" ", afterTopic + 1);
    const length = text.slice(afterTopic + 1, afterLength);
    const end = afterLength + 1 + Number(length);
    // A length that leads back would be read for ever: who may send on the database's channel need not be one of us.
    if (afterTopic < 0 || afterLength < 0 || !/^\d+$/.test(length) || end > text.length) break;
    messages.push({ topic: text.slice(at, afterTopic), message: text.slice(afterLength + 1, end) });
    at = end;
  }
  return messages;
}

/**
 * Puts the parts of cut packets together. A sender's parts follow each other; where one is missing, the whole is dropped.
 * At most `most` senders are waited for, and `most_bytes` of each; the oldest wait is given up.
 */
export function createAssembly({ most, most_bytes }: { most: number; most_bytes: number }) {
  const begun = new Map<string, { number: number; parts: number; texts: string[]; bytes: number }>();
  /** The whole text, once its last part is there. */
  return ({ sender, number, part, parts, text }: Packet): string | undefined => {
    if (parts === 1) return text;
    let whole = begun.get(sender);
    begun.delete(sender);
    if (part === 0) whole = { number, parts, texts: [], bytes: 0 };
    if (!whole || whole.number !== number || whole.parts !== parts || whole.texts.length !== part) return undefined;
    whole.texts.push(text);
    whole.bytes += Buffer.byteLength(text);
    if (whole.texts.length === parts) return whole.texts.join("");
    if (whole.bytes > most_bytes) return undefined;
    begun.set(sender, whole);
    const [oldest] = begun.keys();
    if (begun.size > most && oldest !== undefined) begun.delete(oldest);
    return undefined;
  };
}
