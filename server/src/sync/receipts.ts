/** Receipts as clients get them. Specification: client-server-api, "Receipts", m.receipt. */
import { DELIVERED, type LogEntry } from "../log/entry.ts";

/** By event, type and person what is known of the receipt. */
type Content = Record<string, Record<string, Record<string, unknown>>>;

/**
 * The m.receipt events for these receipts, oldest first. One has room for one receipt of a person at an event; where they have one
 * for a thread too, that goes into another.
 */
export function receiptEvents(receipts: readonly LogEntry[]): string[] {
  const contents: Content[] = [];
  for (const receipt of receipts) {
    const { event_id, data } = JSON.parse(receipt.body) as { event_id: string; data: unknown };
    const [type, who] = [receipt.type as string, whose(receipt)];
    const isFree = (content: Content) => !Object.hasOwn(content[event_id]?.[type] ?? {}, who);
    let content = contents.find(isFree);
    if (!content) contents.push((content = {}));
    ((content[event_id] ??= {})[type] ??= {})[who] = data;
  }
  return contents.map(eventOf);
}

/** One m.receipt event for all receipts, oldest first. Of several of a person at one event it has the one that says the most. */
export function receiptsJson(receipts: readonly LogEntry[]): string {
  const content: Content = {};
  for (const receipt of receipts.toSorted((a, b) => rankOf(a) - rankOf(b))) {
    const { event_id, data } = JSON.parse(receipt.body) as { event_id: string; data: unknown };
    ((content[event_id] ??= {})[receipt.type as string] ??= {})[whose(receipt)] = data;
  }
  return eventOf(content);
}

function eventOf(content: Content): string {
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
