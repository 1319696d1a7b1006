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
import { type Place, progressIn } from "../worker/progress.ts";
import { putDevices } from "./accounts.ts";
import { touchedBy } from "./draft.ts";
import { foldAll } from "./fold.ts";
import { emptyTables, loadDraft, saveDraft } from "./rows.ts";

export interface Progress extends Place {
  asOf_ms: number | null;
  accounts_ms: number | null;
  recent_ms: number | null;
  rebuilding: boolean;
  rebuilt_ms: number | null;
  rebuildTook_ms: number | null;
  mirrored: boolean;
}

const ms = (column: string, name: string) => `floor(extract(epoch from ${column}) * 1000)::bigint as "${name}"`;

const progress = progressIn<Progress>({
  schema: "graph",
  columns: [
    ms("as_of", "asOf_ms"),
    ms("accounts_at", "accounts_ms"),
    ms("recent_at", "recent_ms"),
    ms("rebuilt_at", "rebuilt_ms"),
    'rebuild_ms as "rebuildTook_ms"',
    "rebuilding",
    "mirrored",
  ],
  lease_ms: limits.graphLease_ms,
});
export const { readProgress, takeLease, leaveLease } = progress;

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
  const step = { holder, from, upTo, epoch, asOf_ms: isCurrent ? read_ms : null };
  const isWritten = await progress.advance(ctx, step, async (db) => {
    if (entries.length === 0) return;
    const draft = await loadDraft(db, touchedBy(entries));
    foldAll(draft, entries);
    await saveDraft(db, draft);
    await putDevices(ctx, db, [...draft.devicesOf]);
  });
  return isWritten && !isCurrent;
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
