/**
 * Keeps the access graph in step with the log: stretch after stretch, each with its position in one transaction, by one worker at a
 * time. The states of the projection:
 *
 *   empty       position 0, of no epoch: reads the log from its beginning
 *   behind      position below the log's head: reads on
 *   current     position at the head: `as_of` says when that was seen
 *   rebuilding  emptied because an operator said so, or because the log went on differently from an earlier position
 */
import type { Context } from "../context.ts";
import { readStretch, stillHolds } from "../log/for-projections.ts";
import { limits } from "../limits.ts";
import { putDevices } from "./accounts.ts";
import { touchedBy } from "./draft.ts";
import { foldAll } from "./fold.ts";
import { emptyTables, loadDraft, saveDraft, type Transaction } from "./rows.ts";

export interface Progress {
  position: number;
  epoch: number;
  asOf_ms: number | null;
  accounts_ms: number | null;
  recent_ms: number | null;
  rebuilding: boolean;
  rebuilt_ms: number | null;
  rebuildTook_ms: number | null;
  mirrored: boolean;
  isHeld: boolean;
}

const ms = (column: string) => `floor(extract(epoch from ${column}) * 1000)::bigint`;
const PROGRESS = `position, epoch, ${ms("as_of")} as "asOf_ms", ${ms("accounts_at")} as "accounts_ms",
  ${ms("recent_at")} as "recent_ms", rebuilding,
  ${ms("rebuilt_at")} as "rebuilt_ms", rebuild_ms as "rebuildTook_ms", mirrored, coalesce(held_until > now(), false) as "isHeld"`;

export async function readProgress(db: Transaction): Promise<Progress> {
  const row = await db.one<Progress>(`select ${PROGRESS} from graph.progress`);
  if (!row) throw new Error("graph.progress has no row");
  return row;
}

/** Takes the lease, or keeps it, for `limits.graphLease_ms`. Undefined while another worker has it. */
export function takeLease(ctx: Context, holder: string): Promise<Progress | undefined> {
  return ctx.db.graph.one<Progress>(
    `update graph.progress set holder = $1, held_until = now() + $2 * interval '1 millisecond'
     where holder is null or holder = $1 or held_until < now() returning ${PROGRESS}`,
    [holder, limits.graphLease_ms],
  );
}

/** Gives the lease back, so that the next worker need not wait for its end. */
export async function leaveLease(ctx: Context, holder: string): Promise<void> {
  await ctx.db.graph.query("update graph.progress set holder = null, held_until = null where holder = $1", [holder]);
}

/** The lease went to another worker, or somebody set the projection back: what was read is not written. */
class Overtaken extends Error {}

const ADVANCE = `update graph.progress set position = $3, epoch = $4, as_of = coalesce(to_timestamp($5::double precision / 1000), as_of),
    held_until = now() + $6 * interval '1 millisecond'
  where holder = $1 and position = $2`;

/** Reads one stretch and writes what it means. Gives whether there is more of the log. */
export async function projectStretch(ctx: Context, holder: string, from: Progress): Promise<boolean> {
  const options = { after: from.position, span: limits.graphSpan_positions, limit: limits.graphStretch_entries };
  const stretch = await readStretch(ctx.db.log, options);
  const { entries, upTo, head, epoch, read_ms } = stretch;
  if (from.position > 0 && !(await stillHolds(ctx.db.log, from, epoch))) {
    await startOver(ctx);
    return true;
  }
  const isCurrent = upTo >= head;
  try {
    await ctx.db.graph.transaction(async (db) => {
      const step = [holder, from.position, upTo, epoch, isCurrent ? read_ms : null, limits.graphLease_ms];
      if ((await db.change(ADVANCE, step)) === 0) throw new Overtaken();
      if (entries.length === 0) return;
      const draft = await loadDraft(db, touchedBy(entries));
      foldAll(draft, entries);
      await saveDraft(db, draft);
      await putDevices(ctx, db, [...draft.devicesOf]);
    });
  } catch (thrown) {
    if (!(thrown instanceof Overtaken)) throw thrown;
    return false;
  }
  return !isCurrent;
}

/** Empties the projection; the worker builds it anew, from the beginning of the log. */
export async function startOver(ctx: Context): Promise<void> {
  await ctx.db.graph.transaction(async (db) => {
    await db.query(
      `update graph.progress set position = 0, epoch = 0, as_of = null, accounts_at = null, recent_at = null, rebuilding = true, rebuilt_at = now(),
         rebuild_ms = null, mirrored = false`,
    );
    await emptyTables(db);
  });
}
