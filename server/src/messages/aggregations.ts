/**
 * What later events say about an event, bundled with it: the newest edit, the thread that began with it, and who refers to it.
 * Specification: client-server-api, "Aggregations of child events", and the modules for each kind of relation.
 */
import { ignoredUsersOf } from "../account/ignored-users.ts";
import type { Context } from "../context.ts";
import { ENTRY_COLUMNS, type LogEntry } from "../log/entry.ts";
import { clientEventInRoom } from "./client-event.ts";

export interface AggregationsOptions {
  /** Whose view it is. */
  userId: string;
  entries: readonly LogEntry[];
  /** The reader sees nothing behind this position. */
  upTo?: number | undefined;
}

interface Thread {
  root: string;
  count: number;
  latest: number;
  participated: boolean;
}

/** The JSON of `m.relations` by event id, for those of the events that have any. Three queries for any number of events. */
export async function aggregationsOf(
  ctx: Context,
  { userId, entries, upTo }: AggregationsOptions,
): Promise<Map<string, string>> {
  const ids = entries.filter((entry) => entry.relationType !== "m.replace").map((entry) => entry.eventId as string);
  if (ids.length === 0) return new Map();
  const scope = { ids, end: upTo ?? Number.MAX_SAFE_INTEGER, ignored: [...(await ignoredUsersOf(ctx, userId))] };
  const [edits, threads, references] = await Promise.all([
    readEdits(ctx, scope),
    readThreads(ctx, scope, userId),
    readReferences(ctx, scope),
  ]);
  const latest = await latestOfThreads(ctx, threads, scope);
  const bundles = new Map<string, string[]>();
  const add = (eventId: string, part: string) => bundles.set(eventId, [...(bundles.get(eventId) ?? []), part]);
  for (const edit of edits) add(edit.relatesTo as string, `"m.replace":${clientEventInRoom(edit)}`);
  for (const { root, count, latest: position, participated } of threads) {
    const event = latest.get(position);
    const took = participated || entries.some((entry) => entry.eventId === root && entry.userId === userId);
    if (event) add(root, `"m.thread":{"count":${count},"current_user_participated":${took},"latest_event":${event}}`);
  }
  for (const [target, chunk] of references) add(target, `"m.reference":{"chunk":${JSON.stringify(chunk)}}`);
  return new Map([...bundles].map(([eventId, parts]) => [eventId, `{${parts.join(",")}}`]));
}

interface Scope {
  ids: readonly string[];
  end: number;
  ignored: readonly string[];
}

/** The newest edit of each event: by the same sender, of the same type, and not of an event that was redacted. */
function readEdits(ctx: Context, { ids, end }: Scope): Promise<LogEntry[]> {
  return ctx.db.log.query<LogEntry>(
    `select distinct on (e.relates_to) ${ENTRY_COLUMNS}
     from log.entries e join log.entries t on t.event_id = e.relates_to
     where e.relates_to = any($1) and e.relation_type = 'm.replace' and e.position <= $2
       and e.room_id = t.room_id and e.user_id = t.user_id and e.type = t.type and t.state_key is null and e.state_key is null
       and coalesce(t.unsigned, '') not like '{"redacted\\_because"%'
     order by e.relates_to, e.ts desc, e.event_id desc`,
    [ids, end],
  );
}

function readThreads(ctx: Context, { ids, end, ignored }: Scope, userId: string): Promise<Thread[]> {
  return ctx.db.log.query<Thread>(
    `select e.relates_to as root, count(*) as count, max(e.position) as latest, bool_or(e.user_id = $4) as participated
     from log.entries e
     where e.relates_to = any($1) and e.relation_type = 'm.thread' and e.position <= $2 and not e.user_id = any($3)
     group by e.relates_to`,
    [ids, end, ignored, userId],
  );
}

async function readReferences(
  ctx: Context,
  { ids, end, ignored }: Scope,
): Promise<Map<string, { event_id: string }[]>> {
  const rows = await ctx.db.log.query<{ target: string; event_id: string }>(
    `select e.relates_to as target, e.event_id from log.entries e
     where e.relates_to = any($1) and e.relation_type = 'm.reference' and e.position <= $2 and not e.user_id = any($3)
     order by e.position`,
    [ids, end, ignored],
  );
  const groups = Map.groupBy(rows, (row) => row.target);
  return new Map([...groups].map(([target, found]) => [target, found.map(({ event_id }) => ({ event_id }))]));
}

/** The newest event of each thread, by its position, each with its own newest edit. */
async function latestOfThreads(ctx: Context, threads: readonly Thread[], scope: Scope): Promise<Map<number, string>> {
  if (threads.length === 0) return new Map();
  const positions = threads.map((thread) => thread.latest);
  const entries = await ctx.db.log.query<LogEntry>(
    `select ${ENTRY_COLUMNS} from log.entries e where e.position = any($1)`,
    [positions],
  );
  const edits = await readEdits(ctx, { ...scope, ids: entries.map((entry) => entry.eventId as string) });
  return new Map(
    entries.map((entry) => {
      const edit = edits.find((each) => each.relatesTo === entry.eventId);
      return [
        entry.position,
        clientEventInRoom(entry, edit ? { relations: `{"m.replace":${clientEventInRoom(edit)}}` } : {}),
      ];
    }),
  );
}
