/** What operators ask about rooms. What they do to them is in operations-acts.ts, and how they end one in operations-ending.ts. */
import { z } from "zod";
import { cursorOf, readCursor } from "../console/cursor.ts";
import { operation, type Operation, pageOf, pageQuery } from "../console/operation.ts";
import type { Context } from "../context.ts";
import { aliasesOf } from "../directory/aliases.ts";
import { isPublished } from "../directory/visibility.ts";
import { matrixError } from "../errors.ts";
import { allBlocked } from "./blocked.ts";
import { countRoom, countRooms, describeRooms, listRooms, roomOrders } from "./for-operators.ts";
import { levelsOf, powerOf } from "./rules/power.ts";
import { isObject } from "./rules/event.ts";
import type { RoomState } from "./state.ts";

const listed = z.object({
  room_id: z.string(),
  name: z.string().nullable(),
  canonical_alias: z.string().nullable(),
  type: z.string().nullable().meta({ description: "m.space for a space." }),
  version: z.string(),
  members: z.int(),
  encrypted: z.boolean(),
  join_rule: z.string(),
  creator: z.string().nullable(),
  last_activity_ts: z.int().nullable(),
  events: z.int().meta({ description: "Counted up to 10,000." }),
  state_events: z.int().meta({ description: "Of the current state, with memberships." }),
  blocked: z.boolean(),
});

const yesOrNo = z.enum(["true", "false"]).transform((text) => text === "true");

const list = operation({
  id: "rooms.list",
  method: "GET",
  path: "/rooms",
  summary: "Lists rooms and spaces",
  description: "`q` finds rooms by a part of their name or canonical alias, or by their whole id.",
  role: "auditor",
  query: z.object({
    ...pageQuery,
    sort: z.enum(roomOrders).default("room_id"),
    encrypted: yesOrNo.optional(),
    space: yesOrNo.optional(),
    join_rule: z.string().max(50).optional(),
    empty: yesOrNo.optional().meta({ description: "Whether nobody is in it." }),
    blocked: yesOrNo.optional(),
  }),
  answer: pageOf(listed),
  command: {
    name: "room list",
    columns: ["room_id", "name", "members", "encrypted", "join_rule", "last_activity_ts", "blocked"],
  },
  async handle({ query: { limit, from, q, sort, join_rule: joinRule, blocked, ...filters } }, ctx) {
    const after =
      from === undefined ? undefined : readCursor(from, z.tuple([z.union([z.string(), z.number()]), z.string()]));
    const among = blocked === undefined ? undefined : { roomIds: await allBlocked(ctx), isIn: blocked };
    const filter = { q, joinRule, among, ...filters };
    const page = await listRooms(ctx, {
      ...filter,
      order: sort,
      after: after && { key: after[0], roomId: after[1] },
      limit: limit + 1,
    });
    const shown = page.slice(0, limit);
    const last = page.length > limit ? shown.at(-1) : undefined;
    return {
      items: await describeRooms(
        ctx,
        shown.map(({ roomId }) => roomId),
      ),
      ...(last ? { next: cursorOf([last.key, last.roomId]) } : {}),
      // The first page says it for all.
      ...(from === undefined ? { total: await countRooms(ctx, filter) } : {}),
    };
  },
});

/** The room of a path. Throws M_NOT_FOUND. */
export async function roomFor(ctx: Context, roomId: string): Promise<RoomState> {
  const room = await ctx.rooms.find(roomId);
  if (!room) throw matrixError("M_NOT_FOUND", `There is no room ${roomId} on this server.`);
  return room;
}

const detail = listed.extend({
  topic: z.string().nullable(),
  history_visibility: z.string(),
  guest_access: z.string(),
  encryption_algorithm: z.string().nullable(),
  aliases: z.array(z.string()),
  published: z.boolean(),
  invited: z.int(),
  power_levels: z.object({ users: z.record(z.string(), z.number()), users_default: z.number() }),
  creators: z
    .array(z.string())
    .meta({ description: "Those whose power has no limit, in rooms of version 12 and later." }),
  parents: z.array(z.string()),
  children: z.array(z.string()),
  messages: z.int(),
  retention: z
    .object({ max_lifetime_ms: z.number().nullable(), min_lifetime_ms: z.number().nullable() })
    .nullable()
    .meta({ description: "What the room itself says, in m.room.retention." }),
});

function textIn(room: RoomState, type: string, key: string): string | null {
  const value = room.get(type)?.content[key];
  return typeof value === "string" ? value : null;
}

function numberIn(content: Record<string, unknown>, key: string): number | null {
  const value = content[key];
  return typeof value === "number" ? value : null;
}

/** The keys of state events of a type whose content is not empty: an empty one takes the link back. */
function linked(room: RoomState, type: string): string[] {
  return [...room.ofType(type).values()]
    .filter(({ content }) => Array.isArray(content["via"]))
    .map((each) => each.state_key);
}

function powersIn(room: RoomState) {
  const levels = levelsOf(room);
  const users = isObject(levels["users"]) ? Object.keys(levels["users"]) : [];
  const creator = room.get("m.room.create")?.sender;
  const known = [...new Set(creator === undefined ? users : [creator, ...users])];
  const powers = known.map((userId): [string, number] => [userId, powerOf(room, userId)]);
  return {
    creators: powers.filter(([, power]) => power === Infinity).map(([userId]) => userId),
    power_levels: {
      users: Object.fromEntries(powers.filter(([, power]) => power !== Infinity)),
      users_default: numberIn(levels, "users_default") ?? 0,
    },
  };
}

function retentionIn(room: RoomState) {
  const content = room.get("m.room.retention")?.content;
  return content
    ? { max_lifetime_ms: numberIn(content, "max_lifetime"), min_lifetime_ms: numberIn(content, "min_lifetime") }
    : null;
}

const read = operation({
  id: "rooms.read",
  method: "GET",
  path: "/rooms/:roomId",
  summary: "Shows a room: what it is and who has power in it, and nothing that was said",
  role: "auditor",
  answer: detail,
  command: { name: "room show", arguments: ["roomId"] },
  async handle({ params: { roomId } }, ctx) {
    const room = await roomFor(ctx, roomId);
    const [[described], counts, aliases, published] = await Promise.all([
      describeRooms(ctx, [roomId]),
      countRoom(ctx, roomId),
      aliasesOf(ctx, roomId),
      isPublished(ctx, roomId),
    ]);
    if (!described) throw matrixError("M_NOT_FOUND", `There is no room ${roomId} on this server.`);
    return {
      ...described,
      events: counts.events,
      messages: counts.messages,
      topic: textIn(room, "m.room.topic", "topic"),
      history_visibility: textIn(room, "m.room.history_visibility", "history_visibility") ?? "shared",
      guest_access: textIn(room, "m.room.guest_access", "guest_access") ?? "forbidden",
      encryption_algorithm: textIn(room, "m.room.encryption", "algorithm"),
      aliases,
      published,
      invited: room.invitedCount,
      ...powersIn(room),
      parents: linked(room, "m.space.parent"),
      children: linked(room, "m.space.child"),
      retention: retentionIn(room),
    };
  },
});

const memberships = ["join", "invite", "knock", "leave", "ban"] as const;

const members = operation({
  id: "rooms.members",
  method: "GET",
  path: "/rooms/:roomId/members",
  summary: "Lists who is, was or may come to be in a room",
  role: "auditor",
  query: z.object({ ...pageQuery, membership: z.enum(memberships).optional() }),
  answer: pageOf(
    z.object({
      user_id: z.string(),
      membership: z.enum(memberships),
      power_level: z.number().nullable().meta({ description: "Null where it has no limit." }),
      display_name: z.string().nullable(),
      since_ts: z.int().meta({ description: "When the membership became what it is." }),
    }),
  ),
  command: { name: "room members", arguments: ["roomId"] },
  async handle({ params: { roomId }, query: { limit, from, q, membership } }, ctx) {
    const room = await roomFor(ctx, roomId);
    const after = from === undefined ? "" : readCursor(from, z.tuple([z.string()]))[0];
    const all = [...room.memberships()].filter(([, is]) => membership === undefined || is === membership);
    const found = all
      .map(([userId]) => userId)
      .filter((userId) => !q || userId.toLowerCase().includes(q.toLowerCase()));
    const rest = found.filter((userId) => userId > after).toSorted();
    const items = rest.slice(0, limit).map((userId) => {
      const event = room.get("m.room.member", userId);
      const power = powerOf(room, userId);
      return {
        user_id: userId,
        membership: room.membership(userId) as (typeof memberships)[number],
        power_level: power === Infinity ? null : power,
        display_name: typeof event?.content["displayname"] === "string" ? event.content["displayname"] : null,
        since_ts: event?.origin_server_ts ?? 0,
      };
    });
    const last = rest.length > limit ? items.at(-1) : undefined;
    return { items, ...(last ? { next: cursorOf([last.user_id]) } : {}), total: found.length };
  },
});

export const roomOperations: readonly Operation[] = [list, read, members];
