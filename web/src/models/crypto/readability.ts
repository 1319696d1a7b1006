/**
 * How many of the encrypted messages that reached this device it could read: numbers for the people who run the server, and
 * nothing of what was said, where or by whom. A message has a minute for its key to come before it counts as unreadable.
 */
import { DecryptionFailureCode } from "matrix-js-sdk/lib/crypto-api/index.js";

export type Unreadable = "no_key" | "withheld" | "other";
export type Outcome = "decrypted" | "late" | Unreadable;
export type Report = Partial<Record<Outcome, number>>;

export const PATIENCE_MS = 60_000;

export interface Tally {
  read(eventId: string, now_ms: number): void;
  unread(eventId: string, why: Unreadable, now_ms: number): void;
  /** What became of messages since the last call; nothing where there is nothing to say. */
  take(now_ms: number): Report | undefined;
}

/** Messages that were never readable are forgotten from here on: what became of them was said. */
const REMEMBERED = 1_000;

export function createTally(): Tally {
  const waiting = new Map<string, { why: Unreadable; since_ms: number }>();
  /** Those that were reported as unreadable, in case they become readable after all. */
  const given = new Set<string>();
  let counted: Report = {};
  const count = (outcome: Outcome) => (counted[outcome] = (counted[outcome] ?? 0) + 1);
  return {
    read(eventId, now_ms) {
      const waited = waiting.get(eventId);
      waiting.delete(eventId);
      const isLate = given.delete(eventId) || (waited !== undefined && now_ms - waited.since_ms >= PATIENCE_MS);
      count(isLate ? "late" : "decrypted");
    },
    unread(eventId, why, now_ms) {
      if (given.has(eventId)) return;
      waiting.set(eventId, { why, since_ms: waiting.get(eventId)?.since_ms ?? now_ms });
    },
    take(now_ms) {
      for (const [eventId, { why, since_ms }] of waiting) {
        if (now_ms - since_ms < PATIENCE_MS) continue;
        waiting.delete(eventId);
        if (given.size < REMEMBERED) given.add(eventId);
        count(why);
      }
      const report = counted;
      counted = {};
      return Object.keys(report).length === 0 ? undefined : report;
    },
  };
}

/** Why a message can not be read; undefined where that is as it should be: it is from before this device, or from somebody whom
 *  its owner has to look at first. */
export function unreadableBy(reason: DecryptionFailureCode | null): Unreadable | undefined {
  switch (reason) {
    case DecryptionFailureCode.MEGOLM_UNKNOWN_INBOUND_SESSION_ID:
    case DecryptionFailureCode.OLM_UNKNOWN_MESSAGE_INDEX:
      return "no_key";
    case DecryptionFailureCode.MEGOLM_KEY_WITHHELD:
    case DecryptionFailureCode.MEGOLM_KEY_WITHHELD_FOR_UNVERIFIED_DEVICE:
      return "withheld";
    case DecryptionFailureCode.UNKNOWN_ERROR:
    case null:
      return "other";
    default:
      return undefined;
  }
}
