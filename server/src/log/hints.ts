/**
 * Hints about the log, from process to process: how far it goes, and the newest entries themselves where they are small. What
 * several appends bring in one turn of the loop goes out as one message.
 *
 * A process whose head is just before the entries takes them as they are, without a query. Where something is missing between,
 * they wait for it a moment in the hub, which then reads the range from the database: as it does for a head without entries, and
 * once a second without any hint.
 */
import { type Bus, readMessage } from "../bus/bus.ts";
import { limits } from "../limits.ts";
import type { LogEntry } from "./entry.ts";
import type { Hub } from "./hub.ts";

export interface Hints {
  /** The log has grown up to `position`, by these entries if the caller has them. Returns at once and never throws. */
  announce(position: number, entries?: readonly LogEntry[]): void;
}

/** Opens the sending side. */
export function openHints({ bus, epoch }: { bus: Bus; epoch(): number }): Hints {
  const most_bytes = Math.min(limits.headInline_bytes, bus.packet_bytes) - ENVELOPE_BYTES;
  let head = 0;
  let batches: (readonly LogEntry[])[] = [];
  let isDue = false;

  function send(): void {
    isDue = false;
    const entries = encodeSmall(batches, most_bytes);
    batches = [];
    bus.publish("head", `{"format":${FORMAT},"epoch":${epoch()},"head":${head},"entries":[${entries.join()}]}`);
  }

  return {
    announce(position, entries = []) {
      head = Math.max(head, position);
      if (entries.length > 0 && most_bytes > 0) batches.push(entries);
      if (isDue) return;
      isDue = true;
      setImmediate(send);
    },
  };
}

/** Lets the hub hear what the other processes announce; gives the function that ends it. */
export function followHints({
  bus,
  hub,
  epoch,
}: {
  bus: Bus;
  hub: Pick<Hub, "offer" | "hint">;
  epoch(): number;
}): () => void {
  return bus.subscribe("head", (message, own) => {
    // What this process appended, its hub was offered at once.
    if (own) return;
    const hint = readHint(message);
    if (hint === undefined || hint.epoch < epoch()) return;
    // Of a process of another version only the head is sure, and so it is of an epoch that this one is not in yet.
    if (hint.format === FORMAT && hint.epoch === epoch())
      for (const run of runsOf(hint.entries.map(decode))) hub.offer(run);
    hub.hint(hint.head);
  });
}

/** Goes up when an entry gets another member. */
const FORMAT = 1;

interface Hint {
  format: number;
  epoch: number;
  head: number;
  entries: Encoded[];
}

/** Undefined where another release wrote something else altogether: the look once a second makes up for it. */
function readHint(message: string): Hint | undefined {
  const hint = readMessage<Partial<Hint>>(message);
  if (typeof hint?.epoch !== "number" || typeof hint.head !== "number") return undefined;
  return hint as Hint;
}
/** More than a message takes beside its entries, and the packet around it. */
const ENVELOPE_BYTES = 256;

/** The members of an entry in the order in which they travel, and what a redaction left. */
type Encoded = [
  position: number,
  kind: LogEntry["kind"],
  roomId: string | null,
  userId: string | null,
  deviceId: string | null,
  eventId: string | null,
  type: string | null,
  stateKey: string | null,
  ts: number | null,
  relatesTo: string | null,
  relationType: string | null,
  redacts: string | null,
  sessionId: number | null,
  txnId: string | null,
  body: string,
  unsigned: string | null,
  redaction: LogEntry["redaction"] | null,
];

/** Members by name and not in a loop: an object that is made from a list of names is slow for all who read it. */
function encode(entry: LogEntry): string {
  const { position, kind, roomId, userId, deviceId, eventId, type, stateKey, ts } = entry;
  const { relatesTo, relationType, redacts, sessionId, txnId, body, unsigned, redaction = null } = entry;
  const first = [position, kind, roomId, userId, deviceId, eventId, type, stateKey, ts] as const;
  const last = [relatesTo, relationType, redacts, sessionId, txnId, body, unsigned, redaction] as const;
  return JSON.stringify([...first, ...last] satisfies Encoded);
}

function decode(encoded: Encoded): LogEntry {
  const [position, kind, roomId, userId, deviceId, eventId, type, stateKey, ts, ...rest] = encoded;
  const [relatesTo, relationType, redacts, sessionId, txnId, body, unsigned, redaction] = rest;
  const named = { position, kind, roomId, userId, deviceId, eventId, type, stateKey, ts };
  const entry = { ...named, relatesTo, relationType, redacts, sessionId, txnId, body, unsigned };
  return redaction ? { ...entry, redaction } : entry;
}

/**
 * Entries as JSON, from the first on, until they become too many for one message. Of a turn that brings many none is sent: at
 * such a rate one query brings hundreds, and costs about as much as sending them to each process.
 */
function encodeSmall(batches: readonly (readonly LogEntry[])[], most_bytes: number): string[] {
  const entries = batches.flat();
  if (entries.length > limits.headInline_entries) return [];
  const encoded: string[] = [];
  let bytes = 0;
  for (const entry of entries.toSorted((a, b) => a.position - b.position)) {
    // A sure sign that it is too large, before it is encoded.
    if (entry.body.length > most_bytes - bytes) break;
    const text = encode(entry);
    bytes += Buffer.byteLength(text) + 1;
    if (bytes > most_bytes) break;
    encoded.push(text);
  }
  return encoded;
}

/** The entries in runs without a gap: between two lanes of the sender another process may have written. */
function runsOf(entries: readonly LogEntry[]): LogEntry[][] {
  const runs: LogEntry[][] = [];
  for (const entry of entries) {
    const run = runs.at(-1);
    if (run && run.at(-1)?.position === entry.position - 1) run.push(entry);
    else runs.push([entry]);
  }
  return runs;
}
