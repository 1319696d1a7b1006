/** What a search asks for. Specification: client-server-api, `POST /search`. */
import { z } from "zod";
import { limits } from "../limits.ts";
import { type RelatedBy, relatedByOf } from "../messages/related.ts";
import { compileRoomEventFilter, roomEventFilterSchema } from "../sync/filter.ts";
import { readPageToken } from "../directory/page-token.ts";
import { KEYS } from "./texts.ts";
import { readTerm, type Term } from "./words.ts";

const keySchema = z.enum(["content.body", "content.name", "content.topic"]);
const groupSchema = z.enum(["room_id", "sender"]);
const side = z.int().min(0).default(limits.searchDefaultContext_events);

const roomEvents = z.looseObject({
  search_term: z.string(),
  keys: z.array(keySchema).nullish(),
  filter: roomEventFilterSchema.nullish(),
  order_by: z.enum(["recent", "rank"]).nullish(),
  event_context: z
    .looseObject({ before_limit: side, after_limit: side, include_profile: z.boolean().default(false) })
    .nullish(),
  include_state: z.boolean().nullish(),
  groupings: z.looseObject({ group_by: z.array(z.looseObject({ key: groupSchema })).default([]) }).nullish(),
});

export const searchBody = z.looseObject({ search_categories: z.looseObject({ room_events: roomEvents.optional() }) });

type RoomEvents = z.output<typeof roomEvents>;
export type GroupKey = z.output<typeof groupSchema>;

/** Where a page begins: behind a result of this rank at this position; in one group alone, where one is named. */
const tokenSchema = z.object({
  by: z.enum(["recent", "rank"]),
  rank: z.number(),
  position: z.int(),
  group: z.tuple([groupSchema, z.string()]).optional(),
});

export type Token = z.output<typeof tokenSchema>;

export interface Wanted {
  term: Term;
  types: readonly string[];
  by: "recent" | "rank";
  limit: number;
  /** Undefined: everybody. */
  senders: readonly string[] | undefined;
  notSenders: readonly string[];
  containsUrl: boolean | undefined;
  /** The log knows it and the index does not: what does not meet it is left out of a page that is found already. */
  relatedBy: RelatedBy;
  wantsRoom(roomId: string): boolean;
  context: { before: number; after: number; withProfiles: boolean } | undefined;
  withState: boolean;
  groups: readonly GroupKey[];
  after: Token | undefined;
}

/** Throws M_INVALID_PARAM for a token that this server never gave out, or gave out for another order. */
export function wantedOf(asked: RoomEvents, nextBatch: string | undefined): Wanted {
  const { filter, event_context: context } = asked;
  const rooms = filter?.rooms && new Set(filter.rooms);
  const notRooms = new Set(filter?.not_rooms);
  const ofType = compileRoomEventFilter({ types: filter?.types, not_types: filter?.not_types }).matches;
  const types = (asked.keys ?? keySchema.options).map((key) => KEYS[key]);
  const by = asked.order_by ?? "rank";
  return {
    term: readTerm(asked.search_term),
    types: types.filter((type) => ofType?.({ type, roomId: null }) ?? true),
    by,
    limit: Math.min(Math.max(filter?.limit ?? limits.searchDefaultPage_events, 1), limits.searchPage_events),
    senders: filter?.senders,
    notSenders: filter?.not_senders ?? [],
    containsUrl: filter?.contains_url,
    relatedBy: relatedByOf(compileRoomEventFilter(filter ?? {})),
    wantsRoom: (roomId) => (rooms?.has(roomId) ?? true) && !notRooms.has(roomId),
    context: context
      ? { before: most(context.before_limit), after: most(context.after_limit), withProfiles: context.include_profile }
      : undefined,
    withState: asked.include_state ?? false,
    groups: [...new Set((asked.groupings?.group_by ?? []).map(({ key }) => key))],
    after:
      nextBatch === undefined
        ? undefined
        : readPageToken(tokenSchema.extend({ by: z.literal(by) }), nextBatch, "next_batch"),
  };
}

function most(events: number): number {
  return Math.min(events, limits.searchContext_events);
}
