/**
 * Where a file stands among what was written with it.
 *
 * The SDK puts a message where it was when it became one, which for a file is when it was uploaded, and leaves it there. What waited
 * behind the file stands in the timeline by then.
 */
import type { MatrixEvent } from "matrix-js-sdk";
import { refusalOf } from "./events.ts";

export interface Places {
  /** Something was written, maybe a file; the first call counts. */
  written(txnId: string, isFile: boolean): void;
  /** The server has taken it. */
  taken(txnId: string): void;
  /** The events, with each file before what the server took after it, or has not taken and was written after it. */
  placed(events: MatrixEvent[]): MatrixEvent[];
}

/** What the server has taken stands before all that it has not. */
const NOT_TAKEN = 1e9;

export function openPlaces(): Places {
  const places = new Map<string, number>();
  const files = new Set<string>();
  let written = 0;
  let taken = 0;
  const placeOf = (event: MatrixEvent) => places.get(event.getTxnId() ?? "") ?? 0;
  return {
    written(txnId, isFile) {
      if (places.has(txnId)) return;
      places.set(txnId, NOT_TAKEN + ++written);
      if (isFile) files.add(txnId);
    },
    taken(txnId) {
      if ((places.get(txnId) ?? 0) >= NOT_TAKEN) places.set(txnId, ++taken);
    },
    placed(events) {
      if (files.size === 0) return events;
      const sorted: MatrixEvent[] = [];
      for (const event of events) {
        const isBehind = (other: MatrixEvent) => placeOf(other) > placeOf(event) && refusalOf(other) === undefined;
        const at = files.has(event.getTxnId() ?? "") ? sorted.findIndex(isBehind) : -1;
        sorted.splice(at === -1 ? sorted.length : at, 0, event);
      }
      return sorted;
    },
  };
}
