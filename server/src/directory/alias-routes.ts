/** `/directory/room/{roomAlias}` and `GET /rooms/{roomId}/aliases`. Specification: client-server-api, "Room aliases". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError, MatrixError } from "../errors.ts";
import { route, type Route } from "../http.ts";
import { isWorldReadable } from "../rooms/access.ts";
import type { Content } from "../rooms/rules/event.ts";
import { isRoomAlias, isRoomId } from "../rooms/rules/identifiers.ts";
import type { RoomState } from "../rooms/state.ts";
import { type Already, type Proposal, submit } from "../rooms/submit.ts";
import { CANONICAL_ALIAS, requireAuthority } from "./authority.ts";
import { refreshPublished } from "./published.ts";
import {
  type Alias,
  aliasesOf,
  drop,
  findAlias,
  findOrMake,
  requireMayName,
  requireOwnAlias,
  reserve,
} from "./aliases.ts";

const PATH = "/_matrix/client/v3/directory/room/:roomAlias";

const getAlias = route({
  method: "GET",
  path: PATH,
  access: "anyone",
  rate: "other",
  async handle({ params }, ctx) {
    const { roomId } = await requireAlias(ctx, params["roomAlias"] as string, findOrMake);
    return { room_id: roomId, servers: [ctx.config.serverName] };
  },
});

async function requireAlias(ctx: Context, alias: string, find = findAlias): Promise<Alias> {
  if (!isRoomAlias(alias)) throw matrixError("M_INVALID_PARAM", `"${alias}" is not a room alias.`);
  const known = await find(ctx, alias);
  if (!known) throw matrixError("M_NOT_FOUND", `There is no room with the alias ${alias}.`);
  return known;
}

const putAlias = route({
  method: "PUT",
  path: PATH,
  access: "session",
  rate: "create",
  body: z.looseObject({ room_id: z.string().refine(isRoomId, "must be a room id") }),
  async handle({ params, session, body }, ctx) {
    const alias = params["roomAlias"] as string;
    requireOwnAlias(ctx, alias);
    requireMayName(ctx, alias, session);
    const room = await ctx.rooms.find(body.room_id);
    // An application service has full control over the aliases of its namespaces. Who is not in the room is told the same about one
    // that does not exist.
    if (!room || (!session.service && room.membership(session.userId) !== "join"))
      throw matrixError("M_FORBIDDEN", "You are not in this room, so you can not give it an alias.");
    if (!(await reserve(ctx, { alias, roomId: body.room_id, creator: session.userId })))
      throw matrixError("M_UNKNOWN", `There is a room with the alias ${alias} already.`, { status: 409 });
    return {};
  },
});

const deleteAlias = route({
  method: "DELETE",
  path: PATH,
  access: "session",
  rate: "create",
  async handle({ params, session }, ctx) {
    const known = await requireAlias(ctx, params["roomAlias"] as string);
    requireMayName(ctx, known.alias, session);
    const room = await ctx.rooms.load(known.roomId);
    // An application service has full control over the aliases of its namespaces.
    if (!session.service && known.creator !== session.userId) await requireAuthority(ctx, room, session);
    await drop(ctx, known.alias, known.roomId);
    await forgetInRoom(ctx, { ...known, userId: session.userId });
    return {};
  },
});

/** The room does not call itself by the alias any more, where the person may change that; where not, the alias is gone all the same. */
async function forgetInRoom(
  ctx: Context,
  { alias, roomId, userId }: { alias: string; roomId: string; userId: string },
): Promise<void> {
  try {
    await submit(ctx, { roomId, propose: (room) => withoutAlias(room, userId, alias) });
    // Whoever looks for it in the list of rooms now does not find it any more.
    await refreshPublished(ctx, [roomId]);
  } catch (thrown) {
    if (!(thrown instanceof MatrixError)) throw thrown;
  }
}

function withoutAlias(room: RoomState, sender: string, alias: string): Proposal | Already {
  const current = room.get(CANONICAL_ALIAS);
  const { alias: main, alt_aliases: others, ...rest } = (current?.content ?? {}) as Content;
  const isNamed = main === alias || (Array.isArray(others) && others.includes(alias));
  if (!current || !isNamed) return { already: current?.event_id ?? "" };
  const content = {
    ...rest,
    ...(main !== undefined && main !== alias && { alias: main }),
    ...(Array.isArray(others) && { alt_aliases: others.filter((each) => each !== alias) }),
  };
  return { sender, type: CANONICAL_ALIAS, state_key: "", content };
}

const getAliases = route({
  method: "GET",
  path: "/_matrix/client/v3/rooms/:roomId/aliases",
  access: "session",
  rate: "other",
  async handle({ params, session }, ctx) {
    const roomId = params["roomId"] as string;
    if (!isRoomId(roomId)) throw matrixError("M_INVALID_PARAM", `"${roomId}" is not a room id.`);
    const room = await ctx.rooms.find(roomId);
    if (!room || (room.membership(session.userId) !== "join" && !isWorldReadable(room)))
      throw matrixError("M_FORBIDDEN", "You are not in this room.");
    return { aliases: await aliasesOf(ctx, roomId) };
  },
});

export const aliasRoutes: readonly Route[] = [getAlias, putAlias, deleteAlias, getAliases];
