/** When and where each session was seen last: noted in memory, written to the database in batches. */
import type { Db } from "../db/database.ts";
import type { Seams } from "../seams.ts";
import { limits } from "../limits.ts";

export interface LastSeen {
  note(sessionId: number, address: string): void;
  /** The last write. */
  close(): Promise<void>;
}

export function createLastSeen(db: Db, seams: Seams): LastSeen {
  let seen = new Map<number, { address: string; at_ms: number }>();

  async function write(): Promise<void> {
    if (seen.size === 0) return;
    const batch = [...seen];
    seen = new Map();
    const now_ms = seams.monotonic_ms();
    await db.change(
      `update auth.sessions s set last_seen_at = now() - n.ago_ms * interval '1 millisecond', last_seen_address = n.address
       from unnest($1::bigint[], $2::float8[], $3::text[]) as n(session_id, ago_ms, address)
       where s.session_id = n.session_id
         -- Never in the way of what matters more: a session that is just being changed is passed over.
         and s.session_id in (select session_id from auth.sessions where session_id = any ($1) for update skip locked)`,
      [batch.map(([id]) => id), batch.map(([, { at_ms }]) => now_ms - at_ms), batch.map(([, { address }]) => address)],
    );
  }

  // What is lost when the database is away is an older time in a list of devices.
  const timer = seams.every(limits.lastSeenWrite_ms, () => void write().catch(() => {}));
  return {
    note(sessionId, address) {
      const at_ms = seams.monotonic_ms();
      const entry = seen.get(sessionId);
      if (!entry) seen.set(sessionId, { address, at_ms });
      else {
        entry.address = address;
        entry.at_ms = at_ms;
      }
    },
    async close() {
      timer.cancel();
      await write().catch(() => {});
    },
  };
}
