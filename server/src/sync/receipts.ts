/** Receipts as clients get them. Specification: client-server-api, "Receipts", m.receipt. */
import { DELIVERED, type LogEntry } from "../log/entry.ts";

/**
 * The m.receipt events for these receipts, oldest first. One has room for one receipt of a person at an event; where they have one
 * for a thread too, that goes into another.
 */
export function receiptEvents(receipts: readonly LogEntry[]): string[] {
  const events: string[] = [];
  for (let left = receipts; left.length > 0;) {
    const { told, untold } = withoutCollisions(left);
    events.push(receiptsJson(told));
    left = untold;
  }
  return events;
}

function withoutCollisions(receipts: readonly LogEntry[]): { told: LogEntry[]; untold: LogEntry[] } {
  const taken = new Set<string>();
  const [told, untold] = [[] as LogEntry[], [] as LogEntry[]];
  for (const receipt of receipts) {
    const { event_id } = JSON.parse(receipt.body) as { event_id: string };
    const place = JSON.stringify([event_id, receipt.type, whose(receipt)]);
    (taken.has(place) ? untold : told).push(receipt);
    taken.add(place);
  }
  return { told, untold };
}

/** One m.receipt event for all receipts, oldest first. Of several of a person at one event it has the one that says the most. */
export function receiptsJson(receipts: readonly LogEntry[]): string {
  const content: Record<string, Record<string, Record<string, unknown>>> = {};
  for (const receipt of receipts.toSorted((a, b) => rankOf(a) - rankOf(b))) {
    const { event_id, data } = JSON.parse(receipt.body) as { event_id: string; data: unknown };
    ((content[event_id] ??= {})[receipt.type as string] ??= {})[whose(receipt)] = data;
  }
  return JSON.stringify({ type: "m.receipt", content });
}

function whose({ type, stateKey, userId }: LogEntry): string {
  return (type === DELIVERED ? stateKey : userId) as string;
}

/** An unthreaded one is of the room with all of its threads; one of a thread at the event that it began with is of nothing yet. */
function rankOf({ type, stateKey }: LogEntry): number {
  if (type === DELIVERED || stateKey === "") return 2;
  return stateKey === "main" ? 1 : 0;
}
