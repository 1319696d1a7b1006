/**
 * What later events say about an event, bundled with it: the newest edit, the thread that began with it, and who refers to it.
 * Only what the reader may see is counted, and nothing of whom they ignore.
 * Specification: client-server-api, "Aggregations of child events", and the modules for each kind of relation.
 */
import { limits } from "../limits.ts";
import type { Context } from "../context.ts";
import { ENTRY_COLUMNS, type LogEntry } from "../log/entry.ts";
import { isRedacted } from "../rooms/entry.ts";
import { membershipsOf } from "../rooms/access.ts";
import { clientEventInRoom } from "./client-event.ts";
import { erasing } from "./erased.ts";
import { type Reading, seenAndHeard, sightValues } from "./reading.ts";

/** Which of these events any other event speaks of: one look at many rooms, before `aggregationsOf` looks at few. */
export async function parentsAmong(ctx: Context, entries: readonly LogEntry[]): Promise<ReadonlySet<string>> {
  if (entries.length === 0) return new Set();
  const rows = await ctx.db.log.query<{ id: string }>(
    "select distinct relates_to as id from log.entries where relates_to = any($1)",
    [entries.map((entry) => entry.eventId)],
  );
  return new Set(rows.map((row) => row.id));
}

/** The JSON of `m.relations` by event id, for those of the events that have any. Three queries, and two more where there are threads. */
export async function aggregationsOf(reading: Reading, entries: readonly LogEntry[]): Promise<Map<string, string>> {
  const parents = entries.filter(isParent);
  if (parents.length === 0) return new Map();
  const [threads, parts] = await Promise.all([readThreads(reading, parents), editsAndReferences(reading, parents)]);
  for (const [root, json] of await tellThreads(reading, threads, parents)) add(parts, root, `"m.thread":${json}`);
  return bundle(parts);
}

/** State events get no aggregations, and an edit is nobody's parent. */
function isParent(entry: LogEntry): boolean {
  return entry.stateKey === null && entry.relationType !== "m.replace";
}

/** Members of `m.relations`, by the event that they are about. */
type Parts = Map<string, string[]>;

function add(parts: Parts, eventId: string, part: string): void {
  parts.set(eventId, [...(parts.get(eventId) ?? []), part]);
}

function bundle(parts: Parts): Map<string, string> {
  return new Map([...parts].map(([eventId, each]) => [eventId, `{${each.join(",")}}`]));
}

async function editsAndReferences(reading: Reading, parents: readonly LogEntry[]): Promise<Parts> {
  const parts: Parts = new Map();
  const [edits, references] = await Promise.all([readEdits(reading, parents), readReferences(reading, parents)]);
  const tellOne = await teller(reading, edits);
  for (const edit of edits) add(parts, edit.relatesTo as string, `"m.replace":${tellOne(edit)}`);
  for (const [target, ids] of Map.groupBy(references, (reference) => reference.target)) {
    const chunk = ids.map(({ event_id }) => ({ event_id }));
    add(parts, target, `"m.reference":{"chunk":${JSON.stringify(chunk)}}`);
  }
  return parts;
}

/** Tells an event inside of another one as it would be told by itself. */
async function teller(
  { ctx, room, session }: Reading,
  entries: readonly LogEntry[],
): Promise<(entry: LogEntry, relations?: string) => string> {
  const membershipAt = await membershipsOf(ctx, room, session.userId);
  const wasIn = ({ position }: LogEntry) => membershipAt(position) === "join";
  const shown = await erasing(ctx, { room, userId: session.userId }, { entries, wasIn });
  return (entry, relations) =>
    clientEventInRoom(shown(entry), {
      sessionId: session.id,
      membership: membershipAt(entry.position),
      ...(relations === undefined ? {} : { relations }),
    });
}

/** By the same sender, of the same type, with new content: what an encrypted event holds, only clients can tell. */
const EDITS = `select ${ENTRY_COLUMNS}
  from unnest($1::text[], $2::text[], $3::text[]) as t(event_id, sender, type)
  cross join lateral (
    select * from log.entries c
    where c.relates_to = t.event_id and c.relation_type = 'm.replace' and c.room_id = $4
      and c.user_id = t.sender and c.type = t.type and c.state_key is null
      and (c.type = 'm.room.encrypted' or strpos(c.body, '"m.new_content":') > 0) and ${seenAndHeard("c", 5)}
    order by c.ts desc, c.event_id desc limit 1
  ) e`;

/** The newest edit of each event that was not redacted. Specification: "Validity of replacement events". */
function readEdits(reading: Reading, parents: readonly LogEntry[]): Promise<LogEntry[]> {
  const editable = parents.filter((entry) => !isRedacted(entry));
  if (editable.length === 0) return Promise.resolve([]);
  return reading.db.query<LogEntry>(EDITS, [
    editable.map((entry) => entry.eventId),
    editable.map((entry) => entry.userId),
    editable.map((entry) => entry.type),
    reading.room.roomId,
    ...sightValues(reading),
  ]);
}

const REFERENCES = `select c.relates_to as target, c.event_id
  from unnest($1::text[]) as t(event_id)
  cross join lateral (
    select * from log.entries c
    where c.relates_to = t.event_id and c.relation_type = 'm.reference' and c.room_id = $2 and ${seenAndHeard("c", 3)}
    order by c.position limit $6
  ) c`;

/** Which events refer to these, oldest first. */
function readReferences(
  reading: Reading,
  parents: readonly LogEntry[],
): Promise<{ target: string; event_id: string }[]> {
  const ids = parents.map((entry) => entry.eventId);
  const values = [ids, reading.room.roomId, ...sightValues(reading), limits.bundledReferences_events];
  return reading.db.query(REFERENCES, values);
}

/** The newest event of a thread, with what is told of the thread as a whole. */
type Thread = LogEntry & { count: number; participated: boolean };

const THREADS = `select ${ENTRY_COLUMNS}, t.count, t.participated
  from (
    select c.relates_to, count(*) as count, max(c.position) as latest, bool_or(c.user_id = $6) as participated
    from log.entries c
    where c.relates_to = any($1) and c.relation_type = 'm.thread' and c.room_id = $2 and ${seenAndHeard("c", 3)}
    group by c.relates_to
  ) t join log.entries e on e.position = t.latest`;

function readThreads(reading: Reading, roots: readonly LogEntry[]): Promise<Thread[]> {
  const ids = roots.map((entry) => entry.eventId);
  const values = [ids, reading.room.roomId, ...sightValues(reading), reading.session.userId];
  return reading.db.query<Thread>(THREADS, values);
}

/** Specification: "Server-side aggregation of m.thread relationships". The newest event has aggregations of its own. */
async function tellThreads(
  reading: Reading,
  threads: readonly Thread[],
  roots: readonly LogEntry[],
): Promise<[string, string][]> {
  if (threads.length === 0) return [];
  const inner = bundle(await editsAndReferences(reading, threads));
  const tellOne = await teller(reading, threads);
  const own = new Set(roots.filter((root) => root.userId === reading.session.userId).map((root) => root.eventId));
  return threads.map((thread) => {
    const latest = tellOne(thread, inner.get(thread.eventId as string));
    const took = thread.participated || own.has(thread.relatesTo);
    return [
      thread.relatesTo as string,
      `{"count":${thread.count},"current_user_participated":${took},"latest_event":${latest}}`,
    ];
  });
}
