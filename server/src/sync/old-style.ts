/**
 * `GET /initialSync`, and what it has in common with `GET /events` (old-events.ts): how clients followed the server before there was
 * /sync, and some still do. Both are a sync, told in the old form, with its tokens; to-device messages and device lists are not in
 * it, and are acknowledged by a /sync alone. Specification: client-server-api, "Old-style endpoints".
 */
import { z } from "zod";
import { loadFilter } from "../account/filters.ts";
import type { Context } from "../context.ts";
import { publishedAmong } from "../directory/visibility.ts";
import { route, type Session } from "../http.ts";
import { limits } from "../limits.ts";
import { clientEventInRoom } from "../messages/client-event.ts";
import { noteOnline } from "./online.ts";
import { syncPartsOf } from "./parts.ts";
import { follow } from "./sync.ts";

export type Event = Record<string, unknown>;

export interface OldRoom {
  timeline?: { events: Event[]; limited?: boolean; prev_batch?: string };
  state_after?: { events: Event[] };
  ephemeral?: { events: Event[] };
  account_data?: { events: Event[] };
}

export interface Synced {
  next_batch: string;
  presence?: { events: Event[] };
  account_data?: { events: Event[] };
  rooms?: Partial<Record<"join" | "leave" | "invite", Record<string, OldRoom>>>;
}

interface Following {
  session: Session;
  signal(): AbortSignal;
  filter: object;
  /** Behind which position and which change of typing and presence; undefined: from nothing. */
  from?: { position: number; ephemeral: number };
  timeout_ms?: number;
}

/** A sync that waits for news where there are none. */
export async function followInOldForm(ctx: Context, following: Following): Promise<Synced> {
  const { session, filter, from, timeout_ms = 0, signal } = following;
  const ask = {
    // What is for a device is not told here.
    session: { ...session, deviceId: "" },
    filter: await loadFilter(ctx, session.userId, JSON.stringify(filter)),
    fullState: false,
    stateSection: "state_after",
    timeout_ms,
    isFirst: from === undefined,
    startsOver: false,
    since: from?.position ?? 0,
    seen: from?.ephemeral ?? 0,
  } as const;
  return JSON.parse(await follow(ctx, syncPartsOf(ctx), { ask, signal })) as Synced;
}

/** Whoever follows the server is online; who has said that they are idle stays so, since these endpoints do not ask for it. */
export function noteFollowing(ctx: Context, session: Session): void {
  const isIdle = ctx.ephemeral.presence(session.userId)?.state === "unavailable";
  noteOnline(ctx, session, isIdle ? "unavailable" : "online");
}

export const initialSync = route({
  method: "GET",
  path: "/_matrix/client/v3/initialSync",
  access: "session",
  rate: "other",
  query: z.looseObject({
    limit: z.coerce.number().int().min(0).default(limits.defaultPage_events),
    archived: z.enum(["true", "false"]).optional(),
  }),
  async handle({ query, session, signal }, ctx) {
    noteFollowing(ctx, session);
    // They are told that they are online themselves.
    await ctx.ephemeral.written();
    const timeline = { limit: Math.min(query.limit, limits.page_events) };
    const room = { timeline, ephemeral: { types: ["m.receipt"] }, include_leave: query.archived === "true" };
    // "The global private data created by this user": the rules of pushing are there without that, and have an endpoint of their own.
    const filter = { room, account_data: { not_types: ["m.push_rules"] } };
    const synced = await followInOldForm(ctx, { session, filter, signal });
    const { join = {}, leave = {}, invite = {} } = synced.rooms ?? {};
    const published = await publishedAmong(ctx, Object.keys(join));
    const told = (rooms: Record<string, OldRoom>, membership: "join" | "leave") =>
      Object.entries(rooms).map(([roomId, each]) => ({
        room_id: roomId,
        membership,
        visibility: published.has(roomId) ? "public" : "private",
        messages: {
          ...(each.timeline?.prev_batch === undefined ? {} : { start: each.timeline.prev_batch }),
          end: synced.next_batch,
          chunk: inRoom(roomId, each.timeline?.events),
        },
        state: inRoom(roomId, each.state_after?.events),
        account_data: each.account_data?.events ?? [],
      }));
    const invited = await Promise.all(Object.keys(invite).map((roomId) => inviteTo(ctx, roomId, session)));
    return {
      end: synced.next_batch,
      presence: inOldForm(synced.presence?.events),
      account_data: synced.account_data?.events ?? [],
      receipts: Object.entries(join).flatMap(([roomId, each]) => inRoom(roomId, each.ephemeral?.events)),
      rooms: [...told(join, "join"), ...told(leave, "leave"), ...invited.map(invitedRoom)],
    };
  },
});

export function inRoom(roomId: string, events: readonly Event[] = []): Event[] {
  return events.map((event) => ({ ...event, room_id: roomId }));
}

/** Whose presence it is stands in the content, where it was before events of this kind had a sender. */
export function inOldForm(presence: readonly Event[] = []): Event[] {
  return presence.map((event) => ({
    ...event,
    content: { user_id: event["sender"], ...(event["content"] as object) },
  }));
}

interface Invited {
  roomId: string;
  /** The event of the membership; undefined where it has changed meanwhile. */
  event: Event | undefined;
}

export async function inviteTo(ctx: Context, roomId: string, session: Session): Promise<Invited> {
  const room = await ctx.rooms.find(roomId);
  const entry = room?.get("m.room.member", session.userId)?.entry;
  const isInvited = room?.membership(session.userId) === "invite";
  return { roomId, event: entry && isInvited ? (JSON.parse(clientEventInRoom(entry)) as Event) : undefined };
}

const invitedRoom = ({ roomId, event }: Invited) => ({
  room_id: roomId,
  membership: "invite",
  ...(event ? { invite: event } : {}),
});
