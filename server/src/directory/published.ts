/**
 * Keeps what the directory says of its rooms in step with the log. What stands in rooms.published can be found out anew at
 * any time, so nothing is lost when a process ends before it has written: the next one looks at all of them when it starts.
 *
 * Every process that serves the directory follows the log and writes what changed, a moment later and many changes at once.
 * That two of them write the same does no harm: a row says up to which position of the log it is good, and is never replaced
 * by one that is good for less.
 */
import type { Context } from "../context.ts";
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { LogEntry } from "../log/entry.ts";
import type { Timer } from "../seams.ts";
import type { RoomStateView } from "../rooms/rules/event.ts";
import { fold } from "./fold.ts";
import { nameOf, publicEntry, readSizes, readStates, roomTypeOf, topicOf } from "./summaries.ts";

/** Writes what the log now says of those of the rooms that are published. */
export async function refreshPublished(ctx: Context, roomIds: readonly string[]): Promise<void> {
  const sql = "select room_id from rooms.published where room_id = any($1)";
  const published = (await ctx.db.rooms.query<{ room_id: string }>(sql, [roomIds])).map((row) => row.room_id);
  for (let start = 0; start < published.length; start += limits.directoryRefresh_rooms)
    await refreshSome(ctx, published.slice(start, start + limits.directoryRefresh_rooms));
}

async function refreshSome(ctx: Context, published: readonly string[]): Promise<void> {
  // What is read below is at least as new as what this process has seen of the log.
  const asOf = ctx.log.hub.head();
  const [states, sizes] = await Promise.all([readStates(ctx, published), readSizes(ctx, published)]);
  const rows = [...states].map(([roomId, state]) => rowOf(roomId, state, sizes.get(roomId) ?? 0));
  await ctx.db.rooms.change(
    `update rooms.published p set as_of = $1, joined = n.joined, room_type = n.room_type, words = n.words, entry = n.entry
     from json_to_recordset($2) as n(room_id text, joined integer, room_type text, words text, entry text)
     where p.room_id = n.room_id and p.as_of <= $1`,
    [Math.max(asOf, 1), JSON.stringify(rows)],
  );
}

function rowOf(roomId: string, state: RoomStateView, joined: number): object {
  const entry = publicEntry(roomId, state);
  const { canonical_alias: alias = "" } = entry as { canonical_alias?: string };
  return {
    room_id: roomId,
    joined,
    room_type: roomTypeOf(state).replaceAll("\0", ""),
    words: fold(`${nameOf(state)}\n${topicOf(state)}\n${alias}`),
    entry: JSON.stringify(entry),
  };
}

/** Follows the log from here on, and finds out what was missed before. Gives the function that ends it. */
export function followLog(ctx: Context): () => Promise<void> {
  /** Rooms that changed since the last look: as many as can change in that time. */
  let changed = new Set<string>();
  let timer: Timer | undefined;
  let running = catchUp(ctx).catch((thrown: unknown) => complain(ctx, thrown));
  let ended = false;

  function schedule(): void {
    if (ended) return;
    timer ??= ctx.seams.after(limits.directoryRefresh_ms, () => {
      running = running.then(write);
    });
  }

  async function write(): Promise<void> {
    const these = changed;
    changed = new Set();
    timer = undefined;
    try {
      await refreshPublished(ctx, [...these]);
    } catch (thrown) {
      complain(ctx, thrown);
      for (const roomId of these) changed.add(roomId);
      schedule();
    }
  }

  ctx.log.hub.listen((entries) => {
    for (const entry of entries) if (changesSummary(entry)) changed.add(entry.roomId as string);
    if (changed.size > 0) schedule();
  });
  return async () => {
    ended = true;
    timer?.cancel();
    await running;
  };
}

/** A redaction may take a name or a topic away. */
function changesSummary(entry: LogEntry): boolean {
  return entry.kind === "event" && (entry.stateKey !== null || entry.redacts !== null);
}

async function catchUp(ctx: Context): Promise<void> {
  let after = "";
  while (!ctx.stopping.aborted) {
    const rows = await ctx.db.rooms.query<{ room_id: string }>(
      "select room_id from rooms.published where room_id > $1 order by room_id limit $2",
      [after, limits.directoryRefresh_rooms],
    );
    const roomIds = rows.map((row) => row.room_id);
    if (roomIds.length === 0) return;
    await refreshPublished(ctx, roomIds);
    after = roomIds.at(-1) as string;
  }
}

function complain(ctx: Context, thrown: unknown): void {
  ctx.logger.warn({ err: asError(thrown) }, "the room directory could not be brought up to date; it is tried again");
}
