/** What a client asks of sliding sync. MSC4186, "Request Body", as its unstable path has it. */
import { z } from "zod";
import type { Session } from "../../http.ts";
import { limits } from "../../limits.ts";
import { requiredState, type RequiredState, unionOf } from "./required-state.ts";

const name = z.string().max(255);
const index = z.int().min(0);
const range = z.tuple([index, index]);
const entries = z.array(name).max(limits.slidingFilter_entries).nullish();
const roomTypes = z.array(name.nullable()).max(limits.slidingFilter_entries).nullish();

/** An object with no more members than these. */
function recordOf<T extends z.ZodType>(value: T, most: number) {
  const isSmall = (record: object) => Object.keys(record).length <= most;
  return z.record(name, value).refine(isSmall, `There may be ${most} at the most.`).nullish();
}

const roomConfig = {
  required_state: z
    .array(z.tuple([name, name]))
    .max(limits.slidingState_elements)
    .default([]),
  timeline_limit: z.int().min(0).default(limits.syncDefaultTimeline_events),
};

const filters = z.looseObject({
  is_dm: z.boolean().nullish(),
  is_encrypted: z.boolean().nullish(),
  is_invite: z.boolean().nullish(),
  /** As newer versions of the proposal call it. */
  is_invited: z.boolean().nullish(),
  room_types: roomTypes,
  not_room_types: roomTypes,
  room_name_like: name.nullish(),
  spaces: entries,
  tags: entries,
  not_tags: entries,
});

const list = z.looseObject({
  ...roomConfig,
  ranges: z.array(range).max(limits.slidingList_ranges).nullish(),
  range: range.nullish(),
  slow_get_all_rooms: z.boolean().nullish(),
  filters: filters.nullish(),
});

/** Rooms are those that the answer shows: of the lists that are named, and subscriptions that are; `*` is all of them. */
const scope = {
  enabled: z.boolean().nullish(),
  lists: z.array(name).max(limits.sliding_lists).nullish(),
  rooms: z.array(name).max(limits.slidingSubscriptions_rooms).nullish(),
};

export const slidingBody = z.looseObject({
  conn_id: z.string().max(limits.slidingConnection_characters).nullish(),
  lists: recordOf(list, limits.sliding_lists),
  room_subscriptions: recordOf(z.looseObject(roomConfig), limits.slidingSubscriptions_rooms),
  extensions: z
    .looseObject({
      to_device: z
        .looseObject({ enabled: z.boolean().nullish(), limit: index.nullish(), since: name.nullish() })
        .nullish(),
      e2ee: z.looseObject({ enabled: z.boolean().nullish() }).nullish(),
      account_data: z.looseObject(scope).nullish(),
      receipts: z.looseObject(scope).nullish(),
      typing: z.looseObject(scope).nullish(),
    })
    .nullish(),
});

export type Filters = z.output<typeof filters>;

/** How much of a room is wanted. */
export interface RoomConfig {
  limit: number;
  state: RequiredState;
}

export interface AskedList {
  name: string;
  config: RoomConfig;
  /** From the first room to the last, both with it; undefined: all rooms. */
  ranges: readonly (readonly [number, number])[] | undefined;
  filters: Filters;
}

/** Which rooms an extension is about. */
export interface Scope {
  lists: readonly string[];
  rooms: readonly string[];
}

export interface SlidingAsk {
  session: Session;
  connId: string;
  timeout_ms: number;
  lists: readonly AskedList[];
  subscriptions: ReadonlyMap<string, RoomConfig>;
  /** The same text for the same lists and subscriptions, and extensions of the same rooms. */
  rules: string;
  extensions: {
    toDevice?: { since: string | undefined; limit: number };
    e2ee: boolean;
    accountData?: Scope;
    receipts?: Scope;
    typing?: Scope;
  };
}

/** What is asked for, from a body that was looked at. */
export function readAsk(
  session: Session,
  body: z.output<typeof slidingBody>,
  timeout_ms: number | undefined,
): SlidingAsk {
  const configOf = (asked: { required_state: [string, string][]; timeline_limit: number }): RoomConfig => ({
    limit: Math.min(asked.timeline_limit, limits.syncTimeline_events),
    state: requiredState(asked.required_state, session.userId),
  });
  const lists = Object.entries(body.lists ?? {}).map(([listName, asked]) => ({
    name: listName,
    config: configOf(asked),
    ranges: asked.slow_get_all_rooms ? undefined : (asked.ranges ?? (asked.range ? [asked.range] : undefined)),
    filters: asked.filters ?? {},
  }));
  const subscriptions = new Map(
    Object.entries(body.room_subscriptions ?? {}).map(([roomId, asked]) => [roomId, configOf(asked)]),
  );
  const extensions = extensionsOf(body.extensions ?? {});
  return {
    session,
    connId: body.conn_id ?? "",
    timeout_ms: Math.min(timeout_ms ?? 0, limits.syncTimeout_ms),
    lists,
    subscriptions,
    rules: rulesText(lists, subscriptions, extensions),
    extensions,
  };
}

function rulesText(
  lists: readonly AskedList[],
  subscriptions: ReadonlyMap<string, RoomConfig>,
  { accountData, receipts, typing }: SlidingAsk["extensions"],
): string {
  const textOf = ({ limit, state }: RoomConfig) => [limit, state.id];
  return JSON.stringify([
    lists.map(({ name: listName, config, ranges, filters: wanted }) => [listName, textOf(config), ranges, wanted]),
    [...subscriptions].map(([roomId, config]) => [roomId, textOf(config)]),
    [accountData, receipts, typing].map((each) => each ?? null),
  ]);
}

function extensionsOf(asked: NonNullable<z.output<typeof slidingBody>["extensions"]>): SlidingAsk["extensions"] {
  const { to_device: toDevice, e2ee } = asked;
  const messages = limits.toDevicePerSync_messages;
  return {
    ...(toDevice?.enabled
      ? { toDevice: { since: toDevice.since ?? undefined, limit: Math.min(toDevice.limit ?? messages, messages) } }
      : {}),
    e2ee: e2ee?.enabled === true,
    ...(asked.account_data?.enabled ? { accountData: scopeOf(asked.account_data) } : {}),
    ...(asked.receipts?.enabled ? { receipts: scopeOf(asked.receipts) } : {}),
    ...(asked.typing?.enabled ? { typing: scopeOf(asked.typing) } : {}),
  };
}

function scopeOf({
  lists,
  rooms,
}: {
  lists?: string[] | null | undefined;
  rooms?: string[] | null | undefined;
}): Scope {
  return { lists: lists ?? ["*"], rooms: rooms ?? ["*"] };
}

/** A room that several rules show is told as much as any of them asks for. MSC4186, "Combining room configs". */
export function combined(a: RoomConfig | undefined, b: RoomConfig): RoomConfig {
  return a ? { limit: Math.max(a.limit, b.limit), state: unionOf(a.state, b.state) } : b;
}
