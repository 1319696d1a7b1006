/** Whose keys changed between two syncs. Specification: client-server-api, "GET /keys/changes". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { route } from "../http.ts";
import { parseToken } from "../log/token.ts";
import type { RoomState } from "../rooms/state.ts";
import { isAboutKeys, tellsOfKeys } from "./device-lists.ts";

const ENCRYPTION = "m.room.encryption";

export const keyChanges = route({
  method: "GET",
  path: "/_matrix/client/v3/keys/changes",
  access: "session",
  rate: "keys",
  query: z.looseObject({ from: z.string(), to: z.string() }),
  async handle({ session, query }, ctx) {
    const from = parseToken(query.from, "from");
    const to = parseToken(query.to, "to");
    // After a restore the tokens mean other entries: everybody may have changed.
    const isOther = !(await ctx.log.holdsNow(from));
    const stretch = { from: isOther ? 0 : from.position, to: isOther ? ctx.log.hub.head() : to.position };
    return changesOf(ctx, session.userId, stretch);
  },
});

/** Above `from`, up to and with `to`. */
interface Stretch {
  from: number;
  to: number;
}

async function changesOf(ctx: Context, userId: string, stretch: Stretch): Promise<object> {
  const { joined, left } = await roomsOfKeys(ctx, userId, stretch);
  const shares = (other: string) => joined.some(({ room }) => room.membership(other) === "join");
  const { came, went } = await movedMembers(ctx, joined, stretch);
  for (const { room, position } of joined) {
    // Of a room that is new to the person, or newly encrypted, all members are new to them.
    const isNew = position > stretch.from || (room.get(ENCRYPTION)?.position ?? 0) > stretch.from;
    if (isNew) for (const other of room.joined()) came.add(other);
  }
  for (const { room } of left) for (const other of room.joined()) went.add(other);
  for (const each of [came, went]) each.delete(userId);
  for (const other of await toldOf(ctx, userId, stretch)) came.add(other);
  return {
    changed: [...came].filter((other) => other === userId || shares(other)),
    left: [...went].filter((other) => !shares(other)),
  };
}

interface RoomOfKeys {
  room: RoomState;
  /** Where the person's own membership stands. */
  position: number;
}

/** The rooms about keys that the person is in, and those that they left in the stretch or after it. */
async function roomsOfKeys(
  ctx: Context,
  userId: string,
  { from }: Stretch,
): Promise<{ joined: RoomOfKeys[]; left: RoomOfKeys[] }> {
  const memberships = [...(await ctx.rooms.memberships(userId))];
  const joined = memberships.filter(([, { membership }]) => membership === "join");
  const left = memberships.filter(
    ([, { membership, position }]) => position > from && (membership === "leave" || membership === "ban"),
  );
  const load = async (some: typeof memberships) => {
    const rooms = await Promise.all(
      some.map(async ([roomId, { position }]) => ({ room: await ctx.rooms.load(roomId), position })),
    );
    return rooms.filter(({ room }) => isAboutKeys(room));
  };
  return { joined: await load(joined), left: await load(left) };
}

/** Who came to the rooms in the stretch, and who went. */
async function movedMembers(ctx: Context, rooms: readonly RoomOfKeys[], { from, to }: Stretch) {
  const states = new Map(rooms.map(({ room }) => [room.roomId, room]));
  const rows = await ctx.db.log.query<{ roomId: string; userId: string; wasJoined: boolean }>(
    `select room_id as "roomId", state_key as "userId", coalesce(unsigned, '') like '%"membership":"join"%' as "wasJoined"
     from log.entries
     where kind = 'event' and type = 'm.room.member' and room_id = any ($1) and position > $2 and position <= $3`,
    [[...states.keys()], from, to],
  );
  const came = new Set<string>();
  const went = new Set<string>();
  for (const { roomId, userId, wasJoined } of rows) {
    const isJoined = states.get(roomId)?.membership(userId) === "join";
    // Who was joined before and is now only changed their name.
    if (isJoined !== wasJoined) (isJoined ? came : went).add(userId);
  }
  return { came, went };
}

/** Whose keys changed in the stretch, as far as this reader is told. */
async function toldOf(ctx: Context, readerId: string, { from, to }: Stretch): Promise<string[]> {
  const rows = await ctx.db.log.query<{ userId: string; type: string; body: string }>(
    `select distinct user_id as "userId", type, body from log.entries
     where kind = 'device_list' and position > $1 and position <= $2`,
    [from, to],
  );
  return rows.filter((row) => tellsOfKeys(row, readerId)).map(({ userId }) => userId);
}
