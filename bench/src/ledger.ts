/**
 * What was sent, and who has seen it. Messages are numbered from 0 in the order of their sending;
 * a delivery counts once for each reader, when the reader has the message for the first time.
 */
export interface Ledger {
  /** Notes that the next message is about to be sent, and gives its number. */
  send(at_ms: number): number;
  /** Notes the server's 200 for a message. */
  acknowledge(number: number): void;
  /**
   * Notes that a reader found a message in an answer.
   * Gives the time since before its sending, or undefined when the reader had it already.
   * @throws RangeError for a message that was never sent.
   */
  deliver(reader: number, delivery: { number: number; at_ms: number }): number | undefined;
  totals(): Totals;
}

export interface Totals {
  acknowledged: number;
  /** First deliveries, over all readers. */
  delivered: number;
  /** Times that a reader got a message again. */
  repeated: number;
  /** Acknowledged messages that a reader has not seen, over all readers. */
  outstanding: number;
}

export function createLedger(readers: number): Ledger {
  const sentAt: number[] = [];
  const acknowledged: boolean[] = [];
  // Readers see messages nearly in order, so a plain array of flags stays dense.
  const seen: boolean[][] = Array.from({ length: readers }, () => []);
  let delivered = 0;
  let repeated = 0;
  return {
    send: (at_ms) => sentAt.push(at_ms) - 1,
    acknowledge(number) {
      acknowledged[number] = true;
    },
    deliver(reader, { number, at_ms }) {
      const sent_ms = sentAt[number];
      const flags = seen[reader];
      if (sent_ms === undefined || flags === undefined) throw new RangeError(`reader ${reader}, message ${number}`);
      if (flags[number]) {
        repeated++;
        return undefined;
      }
      flags[number] = true;
      delivered++;
      return at_ms - sent_ms;
    },
    totals() {
      const numbers = sentAt.map((_, number) => number).filter((number) => acknowledged[number]);
      const outstanding = seen.reduce((sum, flags) => sum + numbers.filter((number) => !flags[number]).length, 0);
      return { acknowledged: numbers.length, delivered, repeated, outstanding };
    },
  };
}
