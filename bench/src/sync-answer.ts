// Reading what a sync answer says about the messages of a run. There are two readers: a scan of
// the bytes, for when the client must use next to no CPU, and a parse, which is the measure of it.
// Both find a message by its text: a tag that is unique to the run, then nine digits.

import { randomBytes } from "node:crypto";

export interface SyncAnswer {
  nextBatch: string;
  /** Numbers of the run's messages, in the order of the answer. */
  sequence: number[];
  /** Whether some room's timeline leaves messages out (client-server API, 6.4). */
  limited: boolean;
}

export type SyncReader = (body: Buffer) => SyncAnswer;

const DIGITS = 9;

/** A new tag, so that no old message is ever counted. */
export function uniqueTag(): string {
  return `parley-bench-${randomBytes(5).toString("hex")}-`;
}

/** The text of message `number`. It holds nothing that a JSON encoder may escape. */
export function messageText(tag: string, number: number): string {
  return tag + String(number).padStart(DIGITS, "0");
}

interface ParsedTimeline {
  limited?: boolean;
  events?: { type?: string; content?: { body?: unknown } }[];
}

export function parseReader(tag: string): SyncReader {
  return (body) => {
    const parsed = JSON.parse(body.toString());
    const timelines: ParsedTimeline[] = Object.values(parsed.rooms?.join ?? {}).map(
      (room) => (room as { timeline?: ParsedTimeline }).timeline ?? {},
    );
    const texts = timelines.flatMap(({ events = [] }) => events.map(({ content }) => content?.body));
    return {
      nextBatch: parsed.next_batch,
      sequence: texts
        .filter((text) => typeof text === "string" && text.startsWith(tag) && text.length === tag.length + DIGITS)
        .map((text) => Number((text as string).slice(tag.length))),
      limited: timelines.some(({ limited }) => limited === true),
    };
  };
}

/** One answer in so many is parsed too, and the two readings must agree. */
const CHECKED_ONE_IN = 64;

/**
 * Reads by scanning, which is right as long as no event but the run's own messages holds the tag,
 * and none holds a `next_batch` of its own. That is true of what the harness sends, and still
 * checked on a part of the answers.
 * The reader throws an Error when its reading differs from the parse.
 */
export function scanReader(tag: string): SyncReader {
  const parse = parseReader(tag);
  const needle = Buffer.from(`"${tag}`);
  let answers = 0;
  return (body) => {
    const nextBatch = scanToken(body);
    if (nextBatch === undefined) return parse(body);
    const scanned = { nextBatch, sequence: scanSequence(body, needle), limited: scanLimited(body) };
    if (answers++ % CHECKED_ONE_IN === 0) assertSame(scanned, parse(body));
    return scanned;
  };
}

const NEXT_BATCH = Buffer.from('"next_batch":"');
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LIMITED = [Buffer.from('"limited":true'), Buffer.from('"limited": true')];

/** The token, or undefined when the server writes it in a way that only a parser should read. */
function scanToken(body: Buffer): string | undefined {
  const at = body.indexOf(NEXT_BATCH);
  if (at < 0) return undefined;
  const start = at + NEXT_BATCH.length;
  const token = body.toString("latin1", start, body.indexOf(QUOTE, start));
  return /^[\w\-.~:=/+]+$/.test(token) ? token : undefined;
}

/** Each place where the tag begins a string; behind a backslash the quote is inside of one. */
function scanSequence(body: Buffer, needle: Buffer): number[] {
  const sequence: number[] = [];
  for (let at = body.indexOf(needle); at >= 0; at = body.indexOf(needle, at + needle.length)) {
    if (body[at - 1] === BACKSLASH) continue;
    const start = at + needle.length;
    sequence.push(Number(body.toString("latin1", start, start + DIGITS)));
  }
  return sequence;
}

function scanLimited(body: Buffer): boolean {
  return LIMITED.some((needle) => body.includes(needle));
}

function assertSame(scanned: SyncAnswer, parsed: SyncAnswer): void {
  const same =
    scanned.nextBatch === parsed.nextBatch &&
    scanned.limited === parsed.limited &&
    scanned.sequence.join() === parsed.sequence.join();
  if (!same) throw new Error("the scan of a sync answer differs from its parse: the counts can not be trusted");
}
