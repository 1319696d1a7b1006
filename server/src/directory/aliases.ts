/**
 * Names of rooms: `#name:server` points to a room. Specification: client-server-api, "Room aliases".
 */
import { makeRoom } from "../appservice/ask.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import type { Session } from "../http.ts";
import { isRoomAlias, isRoomId, serverNameOf } from "../rooms/rules/identifiers.ts";

export interface Alias {
  alias: string;
  roomId: string;
  creator: string;
}

/** Throws M_INVALID_PARAM for what is no room alias, or one of another server. */
export function requireOwnAlias(ctx: Context, alias: string): void {
  if (!isRoomAlias(alias)) throw matrixError("M_INVALID_PARAM", `"${alias}" is not a room alias.`);
  if (serverNameOf(alias) !== ctx.config.serverName)
    throw matrixError("M_INVALID_PARAM", `This server has room aliases that end with :${ctx.config.serverName} only.`);
}

/**
 * Throws M_EXCLUSIVE for an alias that an application service keeps to itself, and for one of its own that is in none of its
 * namespaces. Specification: application-service-api, "Server admin style permissions".
 */
export function requireMayName(ctx: Context, alias: string, { service }: Pick<Session, "service">): void {
  const own = service && ctx.services.byId(service.id);
  if (own?.alias(alias) === "no")
    throw matrixError("M_EXCLUSIVE", `${alias} is in no namespace of this application service.`);
  ctx.services.requireFreeAlias(alias, own);
}

/**
 * Lets the alias point to the room, which may be about to be made; says whether it does. A person who asks for the alias that
 * they have already gets it: their client repeats a request whose answer was lost.
 */
export async function reserve(ctx: Context, { alias, roomId, creator }: Alias): Promise<boolean> {
  requireOwnAlias(ctx, alias);
  const wanted = [alias, roomId, creator];
  const isNew = await ctx.db.rooms.change(
    "insert into rooms.aliases (alias, room_id, creator) values ($1, $2, $3) on conflict do nothing",
    wanted,
  );
  if (isNew > 0) return true;
  const known = await find(ctx, alias);
  if (known?.roomId === roomId && known.creator === creator) return true;
  if (known && (await roomExists(ctx, known.roomId))) return false;
  // Its room was never finished. A minute is far longer than making one takes.
  const sql = `update rooms.aliases set room_id = $2, creator = $3, created_at = now()
    where alias = $1 and created_at < now() - interval '1 minute' and room_id = $4`;
  return (await ctx.db.rooms.change(sql, [...wanted, known?.roomId ?? ""])) > 0;
}

/** Takes the alias away from the room; from another room it takes nothing. */
export async function drop(ctx: Context, alias: string, roomId: string): Promise<void> {
  await ctx.db.rooms.change("delete from rooms.aliases where alias = $1 and room_id = $2", [alias, roomId]);
}

/** The alias with its room, if there is one. */
export async function findAlias(ctx: Context, alias: string): Promise<Alias | undefined> {
  const known = isRoomAlias(alias) ? await find(ctx, alias) : undefined;
  // It may be reserved for a room that is just being made, or never was.
  return known && (await roomExists(ctx, known.roomId)) ? known : undefined;
}

/** The alias with its room; where there is none, an application service whose alias it is may make the room now. */
export async function findOrMake(ctx: Context, alias: string): Promise<Alias | undefined> {
  const known = await findAlias(ctx, alias);
  if (known || !isRoomAlias(alias) || !(await makeRoom(ctx, alias))) return known;
  return findAlias(ctx, alias);
}

/** Without bringing the room into memory: anyone may ask for an alias. */
async function roomExists(ctx: Context, roomId: string): Promise<boolean> {
  if (ctx.rooms.peek(roomId)) return true;
  return (await ctx.db.log.one("select 1 from log.rooms where room_id = $1", [roomId])) !== undefined;
}

function find(ctx: Context, alias: string): Promise<Alias | undefined> {
  return ctx.db.rooms.one<Alias>('select alias, room_id as "roomId", creator from rooms.aliases where alias = $1', [
    alias,
  ]);
}

/** The room that a path names by its id or by an alias. Throws M_INVALID_PARAM for neither, M_NOT_FOUND for an alias that points nowhere. */
export async function roomOf(ctx: Context, roomIdOrAlias: string): Promise<string> {
  if (isRoomId(roomIdOrAlias)) return roomIdOrAlias;
  if (!isRoomAlias(roomIdOrAlias))
    throw matrixError("M_INVALID_PARAM", `"${roomIdOrAlias}" is neither a room id nor a room alias.`);
  const known = await findOrMake(ctx, roomIdOrAlias);
  if (!known) throw matrixError("M_NOT_FOUND", `There is no room with the alias ${roomIdOrAlias}.`);
  return known.roomId;
}

/** Lets all aliases of a room point to the one that takes its place. */
export async function moveAliases(ctx: Context, from: string, to: string): Promise<void> {
  await ctx.db.rooms.change("update rooms.aliases set room_id = $2 where room_id = $1", [from, to]);
}

/** The aliases that point to the room, in the order in which they were made. */
export async function aliasesOf(ctx: Context, roomId: string): Promise<string[]> {
  const sql = "select alias from rooms.aliases where room_id = $1 order by created_at, alias";
  return (await ctx.db.rooms.query<{ alias: string }>(sql, [roomId])).map(({ alias }) => alias);
}

/** Throws M_BAD_ALIAS unless each of the aliases points to the room. Specification: `PUT /rooms/{roomId}/state/…`. */
export async function requirePointingTo(ctx: Context, roomId: string, aliases: readonly string[]): Promise<void> {
  if (aliases.length === 0) return;
  const rows = await ctx.db.rooms.query<{ alias: string }>(
    "select alias from rooms.aliases where alias = any($1) and room_id = $2",
    [aliases, roomId],
  );
  const wrong = aliases.find((alias) => !rows.some((row) => row.alias === alias));
  if (wrong !== undefined) throw matrixError("M_BAD_ALIAS", `${wrong} does not point to this room.`);
}
