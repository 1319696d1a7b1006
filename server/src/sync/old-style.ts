/**
 * `GET /initialSync` and `GET /events`: how clients followed the server before there was /sync, and some still do. Both are a sync,
 * told in the old form, with its tokens; to-device messages and device lists are not in it, and are acknowledged by a /sync alone.
 * `GET /events?room_id=` follows one room that the reader need not be in. Specification: client-server-api, "Old-style endpoints".
 */
import { z } from "zod";
import { loadFilter } from "../account/filters.ts";
import type { Context } from "../context.ts";
import { publishedAmong } from "../directory/visibility.ts";
import { type Request, route, type Route, type Session } from "../http.ts";
import { limits } from "../limits.ts";
import { clientEventInRoom } from "../messages/client-event.ts";
import { tell, walk } from "../messages/page.ts";
import { notBefore, positionOf, readingOf, tokenFor } from "../messages/reading.ts";
import { pause } from "../seams.ts";
import { syncPartsOf } from "./parts.ts";
import type { Ask } from "./run.ts";
import { build, catchUp } from "./sync.ts";

type Event = Record<string, unknown>;

interface OldRoom {
  timeline?: { events: Event[]; limited?: boolean; prev_batch?: string };
  state_after?: { events: Event[] };
  account_data?: { events: Event[] };
}

interface Synced {
  next_batch: string;
  presence?: { events: Event[] };
  account_data?: { events: Event[] };
  rooms?: Partial<Record<"join" | "leave" | "invite", Record<string, OldRoom>>>;
}

interface Following {
  session: Session;
  filter: object;
  /** Undefined: from nothing. */
  since?: number;
  timeout_ms?: number;
  signal?: AbortSignal;
}

/** A sync that waits for news where there are none. */
async function follow(ctx: Context, following: Following): Promise<Synced> {
  const { session, filter, since: first, timeout_ms = 0, signal } = following;
  const ask: Ask = {
    // What is for a device is not told here.
    session: { ...session, deviceId: "" },
    filter: await loadFilter(ctx, session.userId, JSON.stringify(filter)),
    fullState: false,
    stateSection: "state_after",
    timeout_ms,
    isFirst: first === undefined,
    since: first ?? 0,
    seen: 0,
  };
  const parts = syncPartsOf(ctx);
  const deadline_ms = ctx.seams.monotonic_ms() + timeout_ms;
  for (let since = ask.since; ;) {
    const built = await build(ctx, parts, { ask, since });
    const left_ms = deadline_ms - ctx.seams.monotonic_ms();
    if (built.hasNews || left_ms <= 0 || ctx.stopping.aborted || signal?.aborted)
      return JSON.parse(built.json(0)) as Synced;
    since = built.upTo;
    if (ctx.log.hub.head() > since) continue;
    await parts.waiters.wait(session.userId, { timeout_ms: left_ms, signal: signal ?? ctx.stopping });
  }
}

const NOTHING = { types: [] };

const initialSync = route({
  method: "GET",
  path: "/_matrix/client/v3/initialSync",
  access: "session",
  rate: "other",
  query: z.looseObject({
    limit: z.coerce.number().int().min(0).default(limits.defaultPage_events),
    archived: z.enum(["true", "false"]).optional(),
  }),
  async handle({ query, session }, ctx) {
    const timeline = { limit: Math.min(query.limit, limits.page_events) };
    const room = { timeline, ephemeral: NOTHING, include_leave: query.archived === "true" };
    const synced = await follow(ctx, { session, filter: { room } });
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
      presence: synced.presence?.events ?? [],
      account_data: synced.account_data?.events ?? [],
      rooms: [...told(join, "join"), ...told(leave, "leave"), ...invited.map(invitedRoom)],
    };
  },
});

function inRoom(roomId: string, events: readonly Event[] = []): Event[] {
  return events.map((event) => ({ ...event, room_id: roomId }));
}

interface Invited {
  roomId: string;
  /** The event of the membership; undefined where it has changed meanwhile. */
  event: Event | undefined;
}

async function inviteTo(ctx: Context, roomId: string, session: Session): Promise<Invited> {
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

const eventsQuery = z.looseObject({
  from: z.string().optional(),
  timeout: z.coerce.number().int().min(0).optional(),
  room_id: z.string().optional(),
});
type Asked = Request<undefined, z.output<typeof eventsQuery>>;

const events = route({
  method: "GET",
  path: "/_matrix/client/v3/events",
  access: "session",
  rate: "other",
  query: eventsQuery,
  handle: (request, ctx) =>
    request.query.room_id === undefined ? ownEvents(ctx, request) : peek(ctx, request, request.query.room_id),
});

const timeoutOf = ({ query }: Asked) => Math.min(query.timeout ?? limits.oldEvents_ms, limits.syncTimeout_ms);

async function startOf(ctx: Context, { query }: Asked): Promise<number> {
  const since = query.from === undefined ? ctx.log.hub.head() : await positionOf(ctx, query.from, "from");
  await catchUp(ctx, since);
  return since;
}

/** What happens in the rooms that one is in or invited to. */
async function ownEvents(ctx: Context, request: Asked): Promise<object> {
  const { session, signal } = request;
  const since = await startOf(ctx, request);
  const room = {
    timeline: { limit: limits.page_events },
    ephemeral: NOTHING,
    account_data: NOTHING,
    include_leave: true,
  };
  const filter = { room, presence: NOTHING, account_data: NOTHING };
  const synced = await follow(ctx, { session, filter, since, timeout_ms: timeoutOf(request), signal: signal() });
  const { join = {}, leave = {}, invite = {} } = synced.rooms ?? {};
  const invited = await Promise.all(Object.keys(invite).map((roomId) => inviteTo(ctx, roomId, session)));
  const chunk = Object.entries({ ...leave, ...join }).flatMap(([roomId, each]) => {
    // There is no gap in this form: what is not in the timeline any more is told by what it has come to.
    const state = each.timeline?.limited ? inRoom(roomId, each.state_after?.events) : [];
    return [...state, ...inRoom(roomId, each.timeline?.events)];
  });
  return {
    start: request.query.from ?? tokenFor(ctx, since),
    end: synced.next_batch,
    chunk: [...chunk, ...invited.flatMap(({ event }) => event ?? [])],
  };
}

/** What happens in a room that one may read: nobody wakes who is not in it, so it is looked at again and again. */
async function peek(ctx: Context, request: Asked, roomId: string): Promise<object> {
  const { session, signal } = request;
  const since = await startOf(ctx, request);
  const deadline_ms = ctx.seams.monotonic_ms() + timeoutOf(request);
  for (;;) {
    const head = ctx.log.hub.head();
    // Anew each time: the room may not be theirs to read any more.
    const reading = notBefore(await readingOf(ctx, roomId, session), head);
    const page = await walk(reading, { direction: "f", from: since, to: head, limit: limits.page_events });
    const left_ms = deadline_ms - ctx.seams.monotonic_ms();
    if (page.entries.length > 0 || left_ms <= 0 || ctx.stopping.aborted || signal().aborted) {
      const chunk = (await tell(reading, page.entries)).map((json) => JSON.parse(json) as Event);
      const end = page.entries.length === limits.page_events ? (page.entries.at(-1)?.position ?? head) : head;
      return { start: request.query.from ?? tokenFor(ctx, since), end: tokenFor(ctx, end), chunk };
    }
    await pause(ctx.seams, Math.min(left_ms, limits.peekPoll_ms), signal());
  }
}

export const oldStyleRoutes: readonly Route[] = [initialSync, events];
