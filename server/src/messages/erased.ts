/**
 * What people wrote who asked, when they ended their account, that it be erased: whoever was in the room when it was said still sees
 * it, and everybody else gets it without its content, as after a redaction. State stays as it is, since the room goes on with it.
 * Specification: client-server-api, POST /account/deactivate, `erase`.
 */
import { erasedAmong } from "../auth/queries.ts";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import type { LogEntry } from "../log/entry.ts";
import { openLookup } from "../lookups.ts";
import { membershipsOf } from "../rooms/access.ts";
import type { RoomState } from "../rooms/state.ts";

type Lookup = (userId: string) => Promise<boolean>;
const lookups = new WeakMap<Context, Lookup>();

/** Those of one turn are asked for together: a first sync tells many rooms at once. */
function lookupOf(ctx: Context): Lookup {
  const known = lookups.get(ctx);
  if (known) return known;
  const look = openLookup<string, boolean>({
    most: limits.lookup_keys,
    async ask(userIds) {
      const erased = await erasedAmong(ctx, userIds);
      return userIds.map((userId) => erased.has(userId));
    },
  });
  lookups.set(ctx, look);
  return look;
}

const asItIs = (entry: LogEntry): LogEntry => entry;

/**
 * A function that gives each of the events of the room as the reader may be told it: itself, or one without content. `wasIn` says of an
 * event that the reader is known to have been in the room at the time; most are, and then nothing is asked.
 */
export async function erasing(
  ctx: Context,
  { room, userId }: { room: RoomState; userId: string },
  { entries, wasIn }: { entries: readonly LogEntry[]; wasIn(entry: LogEntry): boolean },
): Promise<(entry: LogEntry) => LogEntry> {
  const isOthers = (entry: LogEntry) => entry.stateKey === null && entry.userId !== userId;
  const doubtful = entries.filter((entry) => isOthers(entry) && !wasIn(entry));
  if (doubtful.length === 0) return asItIs;
  const senders = [...new Set(doubtful.map((entry) => entry.userId as string))];
  const answers = await Promise.all(senders.map(lookupOf(ctx)));
  const erased = new Set(senders.filter((_, index) => answers[index]));
  if (erased.size === 0) return asItIs;
  const membershipAt = await membershipsOf(ctx, room, userId);
  const isHidden = (entry: LogEntry) =>
    isOthers(entry) && erased.has(entry.userId as string) && membershipAt(entry.position) !== "join";
  return (entry) => (isHidden(entry) ? withoutContent(entry) : entry);
}

/** What a redaction leaves of a message; of a redaction itself, what it redacts. */
function withoutContent(entry: LogEntry): LogEntry {
  const { content, ...event } = JSON.parse(entry.body) as { content: { redacts?: unknown } };
  const { redacts } = content;
  const kept = entry.type === "m.room.redaction" && redacts !== undefined ? { redacts } : {};
  return { ...entry, body: JSON.stringify({ ...event, content: kept }) };
}
