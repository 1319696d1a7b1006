// Filters: which events a client wants from /sync, /messages, /context and the like. A filter is checked once and
// compiled once; where it leaves everything in, its `matches` is undefined, and costs nothing.
// Specification: client-server-api, "Filtering" (`definitions/sync_filter.yaml`, `room_event_filter.yaml`).

import { z } from "zod";
import { limits } from "../limits.ts";
import { parsePropertyPath } from "../push/rules/property-path.ts";

/** The most types, senders or rooms in one list of a filter. */
export const maxList_entries = 1_000;
/** The longest entry of such a list, and the longest path in `event_fields`. */
export const maxEntry_characters = 255;
/** The most paths in `event_fields`. */
export const maxFields = 100;

const entries = z.array(z.string().max(maxEntry_characters)).max(maxList_entries).optional();
const roomIds = z.array(z.string().startsWith("!").max(maxEntry_characters)).max(maxList_entries).optional();
const userIds = z.array(z.string().startsWith("@").max(maxEntry_characters)).max(maxList_entries).optional();

/** `EventFilter`. Fields that it does not know are left out. A limit of 0 is taken: some clients ask for no events so. */
export const eventFilterSchema = z.object({
  limit: z.int().min(0).optional(),
  types: entries,
  not_types: entries,
  senders: userIds,
  not_senders: userIds,
});

/** `RoomEventFilter`: the `filter` of /messages, /context and /search, and the parts of a /sync filter's `room`. */
export const roomEventFilterSchema = eventFilterSchema.extend({
  rooms: roomIds,
  not_rooms: roomIds,
  contains_url: z.boolean().optional(),
  lazy_load_members: z.boolean().optional(),
  include_redundant_members: z.boolean().optional(),
  unread_thread_notifications: z.boolean().optional(),
  // MSC3440: of /messages, /context and /search. Clients look for threads so.
  related_by_senders: userIds,
  related_by_rel_types: entries,
  // MSC3874: how an event relates to another, so that a timeline can be read without its threads.
  "org.matrix.msc3874.rel_types": entries,
  "org.matrix.msc3874.not_rel_types": entries,
});

/** The filter of /sync: the body of `POST /user/{userId}/filter`, and the `filter` of /sync where it begins with `{`. */
export const filterSchema = z.object({
  event_fields: z.array(z.string().max(maxEntry_characters)).max(maxFields).optional(),
  event_format: z.enum(["client", "federation"]).optional(),
  presence: eventFilterSchema.optional(),
  account_data: eventFilterSchema.optional(),
  room: z
    .object({
      rooms: roomIds,
      not_rooms: roomIds,
      include_leave: z.boolean().optional(),
      timeline: roomEventFilterSchema.optional(),
      state: roomEventFilterSchema.optional(),
      ephemeral: roomEventFilterSchema.optional(),
      account_data: roomEventFilterSchema.optional(),
    })
    .optional(),
});

export type EventFilter = z.output<typeof eventFilterSchema>;
export type RoomEventFilter = z.output<typeof roomEventFilterSchema>;
export type Filter = z.output<typeof filterSchema>;

/** What a filter looks at. An entry of the log fits as it is. */
export type FilteredEvent = {
  type: string | null;
  /** The sender. Without one an event meets no `senders`. */
  userId?: string | null;
};
export type FilteredRoomEvent = FilteredEvent & {
  roomId: string | null;
  /** The event as JSON; read only for `contains_url` and relations, which no event without a body has. */
  body?: string;
};

/** What passes; undefined where everything does. */
export type Matches<Event> = ((event: Event) => boolean) | undefined;

export type CompiledRoomEventFilter = {
  matches: Matches<FilteredRoomEvent>;
  /** How many events the client wants at the most; undefined where it does not say. */
  limit: number | undefined;
  lazyLoadMembers: boolean;
  includeRedundantMembers: boolean;
  /** For the caller to apply: only events that others relate to, in one of these ways, or from one of these senders. */
  relatedByRelTypes: readonly string[] | undefined;
  relatedBySenders: readonly string[] | undefined;
};

export type CompiledFilter = {
  /** The rooms to tell of at all. */
  wantsRoom: (roomId: string) => boolean;
  includeLeave: boolean;
  /** Its `limit` has the default where the client says nothing, and is never above the server's own. */
  timeline: CompiledRoomEventFilter & { limit: number };
  state: CompiledRoomEventFilter;
  ephemeral: CompiledRoomEventFilter;
  roomAccountData: CompiledRoomEventFilter;
  accountData: { matches: Matches<FilteredEvent> };
  presence: { matches: Matches<FilteredEvent> };
  unreadThreadNotifications: boolean;
  eventFormat: "client" | "federation";
  /** Takes the fields away that the client did not ask for, from the JSON of an event. */
  project: (json: string) => string;
};

const everything = (): boolean => true;
const unchanged = (json: string): string => json;

export type Read<T> = { ok: true; value: T } | { ok: false; error: string };

/** Checks a /sync filter from the network; what is wrong with it is said in a sentence. */
export function readFilter(value: unknown): Read<Filter> {
  return read(filterSchema, value);
}

/** Checks a `RoomEventFilter` from the network; what is wrong with it is said in a sentence. */
export function readRoomEventFilter(value: unknown): Read<RoomEventFilter> {
  return read(roomEventFilterSchema, value);
}

/** Compiles a /sync filter. */
export function compileFilter(filter: Filter): CompiledFilter {
  const room = filter.room ?? {};
  const timeline = compileRoomEventFilter(room.timeline);
  return {
    wantsRoom: compileLists(room.rooms, room.not_rooms) ?? everything,
    includeLeave: room.include_leave ?? false,
    timeline: {
      ...timeline,
      limit: Math.min(timeline.limit ?? limits.syncDefaultTimeline_events, limits.syncTimeline_events),
    },
    state: compileRoomEventFilter(room.state),
    ephemeral: compileRoomEventFilter(room.ephemeral),
    roomAccountData: compileRoomEventFilter(room.account_data),
    accountData: { matches: allOf(eventTests(filter.account_data ?? {})) },
    presence: { matches: allOf(eventTests(filter.presence ?? {})) },
    unreadThreadNotifications: room.timeline?.unread_thread_notifications ?? false,
    eventFormat: filter.event_format ?? "client",
    project: filter.event_fields === undefined ? unchanged : projection(filter.event_fields),
  };
}

/** Compiles the filter of an endpoint that gives the events of rooms. */
export function compileRoomEventFilter(filter: RoomEventFilter = {}): CompiledRoomEventFilter {
  const tests: ((event: FilteredRoomEvent) => boolean)[] = eventTests(filter);
  const inRooms = compileLists(filter.rooms, filter.not_rooms);
  if (inRooms) tests.push((event) => inRooms(event.roomId ?? ""));
  const { contains_url: wantsUrl } = filter;
  if (wantsUrl !== undefined) tests.push((event) => hasUrl(event) === wantsUrl);
  const relates = compileLists(filter["org.matrix.msc3874.rel_types"], filter["org.matrix.msc3874.not_rel_types"]);
  if (relates) tests.push((event) => relates(relTypeOf(event)));
  return {
    matches: allOf(tests),
    limit: filter.limit,
    lazyLoadMembers: filter.lazy_load_members ?? false,
    includeRedundantMembers: filter.include_redundant_members ?? false,
    relatedByRelTypes: filter.related_by_rel_types,
    relatedBySenders: filter.related_by_senders,
  };
}

function read<T extends z.ZodType>(schema: T, value: unknown): Read<z.output<T>> {
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  const issue = result.error.issues[0];
  const place = issue?.path.length ? `"${issue.path.join(".")}" of the filter` : "The filter";
  return { ok: false, error: `${place} is not valid: ${issue?.message ?? "unknown"}.` };
}

function eventTests(filter: EventFilter): ((event: FilteredEvent) => boolean)[] {
  const tests: ((event: FilteredEvent) => boolean)[] = [];
  const ofType = compileTypes(filter.types, filter.not_types);
  if (ofType) tests.push((event) => ofType(event.type ?? ""));
  const fromSender = compileLists(filter.senders, filter.not_senders);
  if (fromSender) tests.push((event) => fromSender(event.userId ?? ""));
  return tests;
}

function allOf<Event>(tests: ((event: Event) => boolean)[]): Matches<Event> {
  const [first, ...others] = tests;
  if (others.length === 0) return first;
  return (event) => tests.every((test) => test(event));
}

/** A list that is absent lets everything in, an empty one nothing; what is excluded is so even if it is also listed. */
function compileLists(included?: string[], excluded?: string[]): ((value: string) => boolean) | undefined {
  if (included === undefined && excluded === undefined) return undefined;
  const wanted = included && new Set(included);
  const unwanted = new Set(excluded);
  return (value) => (wanted === undefined || wanted.has(value)) && !unwanted.has(value);
}

function compileTypes(included?: string[], excluded?: string[]): ((type: string) => boolean) | undefined {
  const hasWildcard = [...(included ?? []), ...(excluded ?? [])].some((type) => type.includes("*"));
  if (!hasWildcard) return compileLists(included, excluded);
  const wanted = included?.map(withWildcards);
  const unwanted = excluded?.map(withWildcards) ?? [];
  return (type) => (wanted === undefined || wanted.some((test) => test(type))) && !unwanted.some((test) => test(type));
}

/** In a type `*` is any run of characters, and everything else is itself. */
function withWildcards(pattern: string): (type: string) => boolean {
  const [start = "", ...rest] = pattern.split("*");
  const end = rest.pop();
  if (end === undefined) return (type) => type === pattern;
  return (type) => {
    if (!type.startsWith(start)) return false;
    let at = start.length;
    for (const piece of rest) {
      const found = type.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return type.length - end.length >= at && type.endsWith(end);
  };
}

function hasUrl({ body = "" }: FilteredRoomEvent): boolean {
  // The key is spelt out in almost every body that has it; only an escape could hide it, and that is worth the parsing.
  if (!body.includes('"url"') && !body.includes("\\u")) return false;
  const { content } = JSON.parse(body) as { content?: unknown };
  return typeof content === "object" && content !== null && Object.hasOwn(content, "url");
}

/** How the event relates to another; empty where it does not. */
function relTypeOf({ body = "" }: FilteredRoomEvent): string {
  if (!body.includes('"m.relates_to"') && !body.includes("\\u")) return "";
  const { content } = JSON.parse(body) as { content?: { "m.relates_to"?: { rel_type?: unknown } | null } | null };
  const relType = content?.["m.relates_to"]?.rel_type;
  return typeof relType === "string" ? relType : "";
}

// What the specification requires of every event stays: the server may give more than was asked for.
const requiredFields = ["event_id", "type", "sender", "origin_server_ts", "state_key", "room_id"];

function projection(fields: string[]): (json: string) => string {
  const paths = [...requiredFields.map((name) => [name]), ...fields.map(parsePropertyPath)];
  return (json) => {
    const event = JSON.parse(json) as Record<string, unknown>;
    const kept: Record<string, unknown> = {};
    for (const path of paths) copyProperty(event, kept, path);
    return JSON.stringify({ content: {}, ...kept });
  };
}

function copyProperty(
  from: Record<string, unknown>,
  to: Record<string, unknown>,
  [name = "", ...rest]: string[],
): void {
  if (!Object.hasOwn(from, name)) return;
  const value = from[name];
  if (rest.length === 0) setOwn(to, name, value);
  else if (isRecord(value)) {
    if (!Object.hasOwn(to, name)) setOwn(to, name, {});
    const inner = to[name];
    if (isRecord(inner)) copyProperty(value, inner, rest);
  }
}

/** Also for a property called `__proto__`, which an assignment would not make. */
function setOwn(target: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
