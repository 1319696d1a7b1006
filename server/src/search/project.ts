/**
 * Keeps the index of what people wrote in step with the log: stretch after stretch, each with its position in one transaction, by one
 * worker at a time. A stretch says only which events may have changed; what of them is found now, the log is asked for. So doing a
 * stretch twice, or when the log has gone on meanwhile, comes to the same.
 */
import type { Context } from "../context.ts";
import { readEncrypted, readTouched, readWritten, SEARCHED, type Touched, type Written } from "../log/for-search.ts";
import { readPositions } from "../log/for-push.ts";
import { stillHolds } from "../log/for-projections.ts";
import { limits } from "../limits.ts";
import { inTurns } from "../turns.ts";
import { type Place, progressIn } from "../worker/progress.ts";
import type { Transaction } from "../db/database.ts";
import { textOf } from "./texts.ts";
import { roomLexeme, vectorOf } from "./words.ts";

export interface Progress extends Place {
  asOf_ms: number | null;
}

const progress = progressIn<Progress>({
  schema: "search",
  columns: ['floor(extract(epoch from as_of) * 1000)::bigint as "asOf_ms"'],
  lease_ms: limits.searchLease_ms,
});
export const { readProgress, takeLease, leaveLease } = progress;

/** Notes now and then that nothing is missing, also where nothing happens. */
export async function noteCurrent(ctx: Context, holder: string, { asOf_ms, position }: Progress): Promise<void> {
  if (ctx.seams.now_ms() - (asOf_ms ?? 0) < limits.searchCurrent_ms) return;
  await ctx.db.search.query("update search.progress set as_of = now() where holder = $1 and position = $2", [
    holder,
    position,
  ]);
}

/** Reads one stretch and writes what it means. Gives whether there is more of the log. */
export async function indexStretch(ctx: Context, holder: string, from: Progress): Promise<boolean> {
  const options = { after: from.position, span: limits.searchSpan_positions };
  const { entries, upTo, head, epoch, read_ms } = await readTouched(ctx.db.log, options);
  // What told of removals is forgotten after a while: who was away for longer does not know what to take away.
  const wasAway = from.asOf_ms !== null && read_ms - from.asOf_ms > limits.removalKept_ms / 2;
  if (wasAway || (from.position > 0 && !(await stillHolds(ctx.db.log, from, epoch)))) {
    await startOver(ctx);
    return true;
  }
  const changed = await changedBy(ctx, entries);
  const fresh = await readableOf(ctx, entries, new Set(changed));
  const again = changed.length === 0 ? NONE : await readAgain(ctx, changed, upTo);
  const rows = await inTurns([...fresh, ...again.written], limits.searchTurn_items, rowOf);
  const step = { holder, from, upTo, epoch, asOf_ms: upTo >= head ? read_ms : null };
  const isWritten = await progress.advance(ctx, step, async (db) => {
    if (again.positions.length > 0)
      await db.change("delete from search.events where position = any($1)", [again.positions]);
    await putAll(db, rows);
    for (const entry of entries) await takeAway(db, entry);
  });
  return isWritten && upTo < head;
}

/** The positions that a removal names; a purge names none. */
function removedBy({ kind, type, body }: Touched): number[] {
  return kind === "removal" && type !== "purged" ? (JSON.parse(body) as { positions: number[] }).positions : [];
}

const isEdit = ({ relationType, relatesTo }: Touched): boolean => relationType === "m.replace" && relatesTo !== null;

/** The ids of the events that may be found by something else now than before, or no more. */
async function changedBy(ctx: Context, entries: readonly Touched[]): Promise<string[]> {
  const changed = new Set<string>();
  const redacted: string[] = [];
  const removed = entries.flatMap(removedBy);
  for (const entry of entries) {
    if (entry.kind !== "event") continue;
    if (entry.redacts !== null) redacted.push(entry.redacts);
    if (isEdit(entry) && isSearched(entry)) changed.add(entry.relatesTo as string);
  }
  if (redacted.length + removed.length === 0) return [...changed];
  // What was found by its edit is found by what is left of it.
  const sql = 'select event_id as "eventId" from search.events where edit_id = any($1) or edit_position = any($2)';
  const edited = await ctx.db.search.query<{ eventId: string }>(sql, [redacted, removed]);
  return [...new Set([...changed, ...redacted, ...edited.map(({ eventId }) => eventId)])];
}

const isSearched = ({ type }: Touched): boolean => (SEARCHED as readonly (string | null)[]).includes(type);

/** What is new and may be found. An edit of it that comes later in the log is read with that. */
async function readableOf(ctx: Context, entries: readonly Touched[], changed: ReadonlySet<string>): Promise<Written[]> {
  const fresh = entries.filter((entry) => {
    const { kind, type, eventId, stateKey } = entry;
    if (kind !== "event" || !isSearched(entry) || isEdit(entry) || changed.has(eventId as string)) return false;
    return stateKey === (type === "m.room.message" ? null : "");
  });
  if (fresh.length === 0) return [];
  const encrypted = await readEncrypted(ctx.db.log, [...new Set(fresh.map(({ roomId }) => roomId as string))]);
  return fresh
    .filter(({ roomId }) => !encrypted.has(roomId as string))
    .map((entry) => ({ ...(entry as Touched & { [K in "roomId" | "eventId" | "type"]: string }), ...NO_EDIT }));
}

const NO_EDIT = { editId: null, editPosition: null, editBody: null };

interface Again {
  /** Where they stand, also those that are found no more. */
  positions: number[];
  written: Written[];
}

const NONE: Again = { positions: [], written: [] };

/** As they stand now; what comes behind the stretch is read in its own. */
async function readAgain(ctx: Context, eventIds: readonly string[], upTo: number): Promise<Again> {
  const written = await readWritten(ctx.db.log, eventIds);
  const positions = [...(await readPositions(ctx.db.log, eventIds)).values()];
  return { positions, written: written.filter(({ position }) => position <= upTo) };
}

async function putAll(db: Transaction, rows: readonly object[]): Promise<void> {
  if (rows.length === 0) return;
  await db.change(
    `insert into search.events (position, event_id, room_id, sender, type, has_url, edit_id, edit_position, words)
     select position, event_id, room_id, sender, type, has_url, edit_id, edit_position, words::tsvector
     from json_to_recordset($1) as n(position bigint, event_id text, room_id text, sender text, type text, has_url boolean,
       edit_id text, edit_position bigint, words text)`,
    [JSON.stringify(rows)],
  );
}

function rowOf(each: Written): object[] {
  const { position, eventId: event_id, roomId, sender, type, editId: edit_id, editPosition: edit_position } = each;
  const { content } = JSON.parse(each.body) as { content: Record<string, unknown> };
  // A redaction takes the text, and with it what its edits say.
  const text = textOf(type, content) === "" ? "" : textOf(type, newContentOf(each) ?? content);
  const words = vectorOf(text, roomId);
  if (words === undefined) return [];
  const has_url = typeof content["url"] === "string";
  const row = { position, event_id, room_id: roomId, sender, type, has_url, edit_id, edit_position, words };
  return [row];
}

function newContentOf({ editBody }: Written): Record<string, unknown> | undefined {
  if (editBody === null) return undefined;
  const { content } = JSON.parse(editBody) as { content: Record<string, unknown> };
  const fresh = content["m.new_content"];
  return typeof fresh === "object" && fresh !== null ? (fresh as Record<string, unknown>) : undefined;
}

/** A room that is encrypted from now on is not searched, and what left the log is not found. */
async function takeAway(db: Transaction, entry: Touched): Promise<void> {
  const { kind, type, roomId, position } = entry;
  if (kind !== "removal" && type !== "m.room.encryption") return;
  const removed = removedBy(entry);
  if (removed.length > 0) await db.change("delete from search.events where position = any($1)", [removed]);
  // The room is one of the words, so that one index is enough.
  else
    await takeAll(db, "words @@ $2::tsquery and room_id = $3 and position < $4", [
      roomLexeme(roomId as string),
      roomId,
      position,
    ]);
}

/** In pieces, for no statement may take long, and this may be millions of rows. The condition's first parameter is $2. */
async function takeAll(db: Transaction, condition: string, params: readonly unknown[]): Promise<void> {
  const sql = `delete from search.events where position in (
    select position from search.events where ${condition} limit $1)`;
  while ((await db.change(sql, [limits.searchTakenAway_rows, ...params])) === limits.searchTakenAway_rows);
}

/** Empties the index; the worker builds it anew, from the beginning of the log. */
export async function startOver(ctx: Context): Promise<void> {
  await ctx.db.search.transaction(async (db) => {
    await db.query("update search.progress set position = 0, epoch = 0, as_of = null");
    await takeAll(db, "true", []);
  });
}
