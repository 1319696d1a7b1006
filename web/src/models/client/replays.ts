/**
 * Messages that a server brings again under another id. A session counts its messages, and nobody but its owner can write with a
 * number, so one number stands for one message (Matrix client-server API, "m.megolm.v1.aes-sha2"). The SDK does not look at it.
 */
import type { MatrixClient, MatrixEvent } from "matrix-js-sdk";
import { text } from "./safe.ts";

export interface Replays {
  /** Looks at the events of a timeline, in their order. */
  look(events: MatrixEvent[]): void;
  /** Whether the event repeats one that was seen before. */
  has(event: MatrixEvent): boolean;
}

/** Which event was the first with a number, by session and number, since the app was opened. */
type Firsts = Map<string, string>;

const ofClients = new WeakMap<MatrixClient, Firsts>();
const numbers = new WeakMap<MatrixEvent, string>();

export function replaysOf(client: MatrixClient): Replays {
  const firsts: Firsts = ofClients.get(client) ?? new Map();
  ofClients.set(client, firsts);
  return {
    look(events) {
      const here: Firsts = new Map();
      for (const event of events) {
        const number = numberOf(event);
        if (number !== undefined && !here.has(number)) here.set(number, event.getId() as string);
      }
      const ids = new Set(events.map((event) => event.getId()));
      for (const [number, id] of here) {
        const first = firsts.get(number);
        // Of two that stand here the upper one is the first, also where it was loaded later.
        if (first === undefined || ids.has(first)) firsts.set(number, id);
      }
    },
    has(event) {
      const number = numberOf(event);
      const first = number === undefined ? undefined : firsts.get(number);
      return first !== undefined && first !== event.getId();
    },
  };
}

/** The session of an event that has arrived and is readable, and its number in it. */
function numberOf(event: MatrixEvent): string | undefined {
  if (event.status !== null || !event.isEncrypted() || event.isRedacted() || !event.getClearContent()) return undefined;
  const known = numbers.get(event);
  if (known !== undefined) return known;
  const { session_id: session, ciphertext } = event.getWireContent();
  const index = indexOf(text(ciphertext) ?? "");
  if (index === undefined) return undefined;
  const number = `${session} ${index}`;
  numbers.set(event, number);
  return number;
}

/** A ciphertext begins with its version, and the number under the tag 8, seven bits in each byte. It is signed as a whole. */
function indexOf(ciphertext: string): number | undefined {
  const [version, tag, ...rest] = Uint8Array.from(atob(ciphertext.slice(0, 16)), (letter) => letter.charCodeAt(0));
  if (version !== 3 || tag !== 8) return undefined;
  const end = rest.findIndex((byte) => byte < 128);
  return rest.slice(0, end + 1).reduceRight((index, byte) => index * 128 + (byte & 127), 0);
}
