/**
 * `/publicRooms` and `/directory/list/room/{roomId}`: the published rooms, the largest first.
 * Specification: client-server-api, "Published room directory".
 */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { type Answer, encoded, route, type Route } from "../http.ts";
import { limits } from "../limits.ts";
import { isRoomId } from "../rooms/rules/identifiers.ts";
import { requireAuthority } from "./authority.ts";
import { fold } from "./fold.ts";
import { readPageToken, writePageToken } from "./page-token.ts";
import { isPublished, publish, withdraw } from "./visibility.ts";

const LIST = "/_matrix/client/v3/directory/list/room/:roomId";
const PUBLIC = "/_matrix/client/v3/publicRooms";

const getVisibility = route({
  method: "GET",
  path: LIST,
  access: "anyone",
  rate: "other",
  async handle({ params }, ctx) {
    const { roomId } = await ctx.rooms.load(params["roomId"] as string);
    return { visibility: (await isPublished(ctx, roomId)) ? "public" : "private" };
  },
});

const putVisibility = route({
  method: "PUT",
  path: LIST,
  access: "session",
  rate: "create",
  body: z.looseObject({ visibility: z.enum(["public", "private"]).default("public") }),
  async handle({ params, session, body }, ctx) {
    const room = await ctx.rooms.load(params["roomId"] as string);
    await requireAuthority(ctx, room, session);
    await (body.visibility === "public" ? publish : withdraw)(ctx, room.roomId);
    return {};
  },
});

const getPublicRooms = route({
  method: "GET",
  path: PUBLIC,
  access: "anyone",
  rate: "other",
  query: z.looseObject({
    limit: z.coerce.number().int().optional(),
    since: z.string().optional(),
    server: z.string().optional(),
  }),
  handle: ({ query }, ctx) => answerPage(ctx, query, query.server),
});

const postPublicRooms = route({
  method: "POST",
  path: PUBLIC,
  access: "session",
  rate: "other",
  query: z.looseObject({ server: z.string().optional() }),
  body: z.looseObject({
    limit: z.int().nullish(),
    since: z.string().nullish(),
    filter: z
      .looseObject({
        generic_search_term: z.string().nullish(),
        room_types: z.array(z.string().nullable()).nullish(),
      })
      .nullish(),
    // Suites, and bridges of their time, send it as they would in a query.
    include_all_networks: z.union([z.boolean(), z.stringbool()]).nullish(),
    third_party_instance_id: z.string().nullish(),
  }),
  handle({ query, body }, ctx) {
    const { third_party_instance_id: instance, include_all_networks: isAll } = body;
    if (instance && isAll)
      throw matrixError("M_INVALID_PARAM", "One network and all networks can not be asked for at the same time.");
    const { generic_search_term: term, room_types: types } = body.filter ?? {};
    return answerPage(ctx, { ...body, term, types, network: isAll ? ALL : instance || MAIN }, query.server);
  },
});

interface Asked {
  limit?: number | null | undefined;
  since?: string | null | undefined;
  term?: string | null | undefined;
  /** Types of rooms; null stands for rooms without one. */
  types?: readonly (string | null)[] | null | undefined;
  /** Which directory: the server's own, that of a network by its instance id, or all together. */
  network?: string;
}

const MAIN = "";
const ALL = "*";

/** Where a page begins: behind or before a room of this size and id. The sizes may change meanwhile, and rooms move with them. */
const tokenShape = z.tuple([z.enum(["after", "before"]), z.int32(), z.string().refine(isRoomId)]);

async function answerPage(ctx: Context, asked: Asked, server: string | undefined): Promise<Answer> {
  if (server !== undefined && server !== ctx.config.serverName)
    throw matrixError("M_NOT_FOUND", `This server does not talk to others, so it can not ask ${server} for its rooms.`);
  const limit = Math.min(Math.max(asked.limit ?? limits.directoryPage_rooms, 1), limits.directoryPage_rooms);
  const since = asked.since == null ? undefined : readPageToken(tokenShape, asked.since, "since");
  const isBack = since?.[0] === "before";
  const rows = await readPage(ctx, asked, { since, size: limit + 1 });
  const page = isBack ? rows.slice(0, limit).toReversed() : rows.slice(0, limit);
  const [first, last] = [page[0], page.at(-1)];
  const hasMore = rows.length > limit;
  const next = last && (isBack || hasMore) ? { next_batch: writePageToken(["after", last.joined, last.roomId]) } : {};
  const hasBefore = isBack ? hasMore : since !== undefined;
  const prev = first && hasBefore ? { prev_batch: writePageToken(["before", first.joined, first.roomId]) } : {};
  const total = await ctx.db.rooms.one<{ count: number }>(
    `select count(*) from rooms.published p where ${SHOWN} and ${listedIn("$1")}`,
    [asked.network ?? MAIN],
  );
  const chunk = page.map(({ entry, joined }) => `${entry.slice(0, -1)},"num_joined_members":${joined}}`);
  const rest = JSON.stringify({ ...next, ...prev, total_room_count_estimate: total?.count ?? 0 });
  return encoded(`{"chunk":[${chunk.join(",")}],${rest.slice(1)}`);
}

interface PageRow {
  roomId: string;
  joined: number;
  entry: string;
}

/** Of rooms that everybody has left nobody could let anyone in. */
const SHOWN = "as_of > 0 and joined > 0";
const listedIn = (
  network: string,
) => `case ${network}::text when '${MAIN}' then in_main when '${ALL}' then true else exists (
  select from rooms.networks n where n.room_id = p.room_id and n.service_id || '|' || n.network_id = ${network}) end`;
const MATCHES = `${SHOWN} and ${listedIn("$6")} and strpos(words, $1) > 0 and ($2::text[] is null or room_type = any($2))`;
const COLUMNS = 'room_id as "roomId", joined, entry';
/** The first condition is for the index, the second makes it exact. */
const AFTER = `select ${COLUMNS} from rooms.published p
  where ${MATCHES} and joined <= $3 and (joined < $3 or room_id > $4) order by joined desc, room_id limit $5`;
const BEFORE = `select ${COLUMNS} from rooms.published p
  where ${MATCHES} and joined >= $3 and (joined > $3 or room_id < $4) order by joined, room_id desc limit $5`;

/** One page from the largest on, or from the place of the token; backwards in reverse order. */
function readPage(
  ctx: Context,
  { term, types, network = MAIN }: Asked,
  { since, size }: { since: z.output<typeof tokenShape> | undefined; size: number },
): Promise<PageRow[]> {
  const [direction, joined, roomId] = since ?? ["after", 2_147_483_647, ""];
  const wanted = types?.map((type) => (type ?? "").replaceAll("\0", "")) ?? null;
  const values = [fold(term ?? ""), wanted, joined, roomId, size, network];
  return ctx.db.rooms.query<PageRow>(direction === "after" ? AFTER : BEFORE, values);
}

export const publicRoomRoutes: readonly Route[] = [getVisibility, putVisibility, getPublicRooms, postPublicRooms];
