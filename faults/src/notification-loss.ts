// Drops notifications of PostgreSQL's LISTEN out of a connection, and lets everything else through.

import type { Filter } from "../../testkit/src/tcp-proxy.ts";

/** NotificationResponse. */
const NOTIFICATION = "A".charCodeAt(0);
/** A message: its kind in one byte, and its length, which counts itself. */
const HEADER_BYTES = 5;

/** `isLost` is asked for each notification. */
export function notificationFilter(isLost: () => boolean): Filter {
  let rest: Buffer = Buffer.alloc(0);
  return {
    request: () => {},
    answer(chunk) {
      const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      const kept: Buffer[] = [];
      let at = 0;
      while (bytes.length - at >= HEADER_BYTES) {
        const end = at + 1 + bytes.readInt32BE(at + 1);
        if (end > bytes.length) break;
        if (bytes[at] !== NOTIFICATION || !isLost()) kept.push(bytes.subarray(at, end));
        at = end;
      }
      rest = bytes.subarray(at);
      return Buffer.concat(kept);
    },
  };
}
