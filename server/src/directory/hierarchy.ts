/**
 * `GET /v1/rooms/{roomId}/hierarchy`: the rooms of a space and of the spaces in it, depth first, each once.
 * Specification: client-server-api, "Discovering rooms within spaces".
 *
 * Every page looks at the whole tree again, level by level, with two queries for a level. So no page depends on anything but
 * its token, and a room that is added or taken away between two pages shifts nothing: the token names the last room told.
 */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { limits } from "../limits.ts";
import type { Memberships } from "../rooms/cache.ts";
import type { RoomStateView } from "../rooms/rules/event.ts";
import { readPageToken, writePageToken } from "./page-token.ts";
import { type Child, readChildren } from "./space-children.ts";
import { mayKnowOf, readSizes, readStates, roomTypeOf, summaryOf } from "./summaries.ts";

const SPACE = "m.space";

const query = z.looseObject({
  suggested_only: z.enum(["true", "false"]).default("false"),
  limit: z.coerce.number().int().min(1).optional(),
  max_depth: z.coerce.number().int().min(0).optional(),
  from: z.string().optional(),
});

/** The last room of the page before, how many rooms came up to it, and what was asked for. */
const tokenShape = z.object({ after: z.string(), count: z.int().min(1), levels: z.int(), suggested: z.boolean() });

export const hierarchy = route({
  method: "GET",
  path: "/_matrix/client/v1/rooms/:roomId/hierarchy",
  access: "session",
  rate: "other",
  query,
  async handle({ params, query: asked, session }, ctx) {
    const rootId = params["roomId"] as string;
    const wish = {
      levels: Math.min(asked.max_depth ?? limits.hierarchy_levels, limits.hierarchy_levels),
      suggested: asked.suggested_only === "true",
    };
    const token = asked.from === undefined ? undefined : readPageToken(tokenShape, asked.from, "from");
    if (token && (token.levels !== wish.levels || token.suggested !== wish.suggested))
      throw matrixError("M_INVALID_PARAM", "suggested_only and max_depth can not change from one page to the next.");
    const tree = await growTree(ctx, rootId, { ...wish, memberships: await ctx.rooms.memberships(session.userId) });
    if (!tree.has(rootId)) throw matrixError("M_FORBIDDEN", "There is no such room, or you may not see it.");
    const order = depthFirst(tree, rootId);
    const start = token ? order.indexOf(token.after) + 1 || token.count : 0;
    const limit = Math.min(asked.limit ?? limits.hierarchyDefaultPage_rooms, limits.hierarchyPage_rooms);
    const page = order.slice(start, start + limit);
    const end = start + page.length;
    const next = end < order.length && { next_batch: writePageToken({ after: page.at(-1), count: end, ...wish }) };
    return { rooms: await tellRooms(ctx, tree, page), ...next };
  },
});

interface Node {
  state: RoomStateView;
  children: readonly Child[];
}

type Tree = ReadonlyMap<string, Node>;

interface TreeOptions {
  levels: number;
  suggested: boolean;
  memberships: Memberships;
}

/** The rooms down to the last level that the person may know of, and a bounded number of them. */
async function growTree(ctx: Context, rootId: string, options: TreeOptions): Promise<Tree> {
  const { levels, suggested, memberships } = options;
  const tree = new Map<string, Node>();
  const seen = new Set([rootId]);
  let level = [rootId];
  for (let depth = 0; level.length > 0; depth++) {
    const states = await readStates(ctx, level);
    const known = [...states].filter(([roomId, state]) => mayKnowOf(roomId, state, memberships));
    const spaces = known.filter(([, state]) => roomTypeOf(state) === SPACE).map(([roomId]) => roomId);
    const children = await readChildren(ctx, spaces, { suggested });
    for (const [roomId, state] of known) tree.set(roomId, { state, children: children.get(roomId) ?? [] });
    if (depth === levels) break;
    const below = [...children.values()].flatMap((each) => each.map(({ roomId }) => roomId));
    level = [...new Set(below)].filter((roomId) => !seen.has(roomId)).slice(0, limits.hierarchy_rooms - seen.size);
    for (const roomId of level) seen.add(roomId);
  }
  return tree;
}

/** A room before its children, a child with all that is in it before the next; a room that stands in several places, or in itself, once. */
function depthFirst(tree: Tree, rootId: string): string[] {
  const order = new Set<string>();
  const waiting = [rootId];
  for (let roomId = waiting.pop(); roomId !== undefined; roomId = waiting.pop()) {
    const node = tree.get(roomId);
    if (!node || order.has(roomId)) continue;
    order.add(roomId);
    waiting.push(...node.children.map((child) => child.roomId).toReversed());
  }
  return [...order];
}

async function tellRooms(ctx: Context, tree: Tree, page: readonly string[]): Promise<object[]> {
  const sizes = await readSizes(ctx, page);
  return page.map((roomId) => {
    const { state, children } = tree.get(roomId) as Node;
    return {
      ...summaryOf(roomId, { state, joined: sizes.get(roomId) ?? 0 }),
      children_state: children.map((child) => child.event),
    };
  });
}
