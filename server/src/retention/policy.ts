/**
 * How long messages are kept. Until an operator has set a policy nothing is ever deleted. From then on counts, for each room, the first
 * of these that is there: what operators say of the room; what the room says of itself in `m.room.retention` (MSC1763),
 * brought within the server's bounds; the server's own policy.
 */
import type { Context } from "../context.ts";
import type { Db } from "../db/database.ts";

export interface Policy {
  /** How long a message is kept, in milliseconds; null is for ever. */
  maxLifetime_ms: number | null;
}

export interface ServerPolicy extends Policy {
  /** Within what the lifetime counts that a room asks for; null is no bound. */
  roomLeast_ms: number | null;
  roomMost_ms: number | null;
  /** How long a file is kept that nothing points to; null is for ever. */
  mediaLifetime_ms: number | null;
}

/** What a room says of itself, as far as it is understood. */
export interface RoomWish {
  max_ms: number | null;
  min_ms: number | null;
}

export type Source = "operator" | "room" | "server";

export interface Lifetime {
  roomId: string;
  lifetime_ms: number | null;
  source: Source;
}

/** The lifetime of a room's messages. */
export function lifetimeOf(
  server: ServerPolicy,
  { override, wish }: { override: Policy | undefined; wish: RoomWish | undefined },
): Omit<Lifetime, "roomId"> {
  if (override) return { lifetime_ms: override.maxLifetime_ms, source: "operator" };
  if (wish && wish.max_ms !== null) return { lifetime_ms: within(server, wish.max_ms), source: "room" };
  const { maxLifetime_ms: usual } = server;
  if (wish?.min_ms === null || wish === undefined || usual === null || wish.min_ms <= usual)
    return { lifetime_ms: usual, source: "server" };
  return { lifetime_ms: within(server, wish.min_ms), source: "room" };
}

function within({ roomLeast_ms, roomMost_ms }: ServerPolicy, wanted_ms: number): number {
  return Math.min(Math.max(wanted_ms, roomLeast_ms ?? 0), roomMost_ms ?? Infinity);
}

/** Reads `m.room.retention`. What is no positive whole number is not there. */
export function wishOf(body: string): RoomWish {
  const { content } = JSON.parse(body) as { content: Record<string, unknown> };
  const number = (value: unknown) => (Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : null);
  return { max_ms: number(content["max_lifetime"]), min_ms: number(content["min_lifetime"]) };
}

const SERVER = "";
const COLUMNS = `room_id as "roomId", max_lifetime_ms as "maxLifetime_ms", room_least_ms as "roomLeast_ms", room_most_ms as "roomMost_ms",
  media_lifetime_ms as "mediaLifetime_ms", floor(extract(epoch from changed_at) * 1000)::bigint as changed_ts, changed_by as "changedBy"`;

export type StoredPolicy = ServerPolicy & { roomId: string; changed_ts: number; changedBy: string };

/** The server's policy; undefined until an operator sets one. */
export function readServerPolicy(ctx: Context): Promise<StoredPolicy | undefined> {
  return readOverride(ctx, SERVER);
}

/** What operators say of one room. */
export function readOverride(ctx: Context, roomId: string): Promise<StoredPolicy | undefined> {
  return ctx.db.console.one<StoredPolicy>(`select ${COLUMNS} from console.retention_policies where room_id = $1`, [
    roomId,
  ]);
}

/** Rooms of which operators say something, by their ids. */
export function listOverrides(
  ctx: Context,
  { after, limit }: { after: string; limit: number },
): Promise<StoredPolicy[]> {
  return ctx.db.console.query<StoredPolicy>(
    `select ${COLUMNS} from console.retention_policies where room_id > $1 order by room_id limit $2`,
    [after, limit],
  );
}

/** Sets the policy of the server (`roomId` '') or of one room. */
export async function writePolicy(
  db: Omit<Db, "transaction">,
  policy: Partial<ServerPolicy> & Policy & { roomId: string; by: string },
): Promise<void> {
  const { roomId, maxLifetime_ms, roomLeast_ms, roomMost_ms, mediaLifetime_ms, by } = policy;
  await db.change(
    `insert into console.retention_policies (room_id, max_lifetime_ms, room_least_ms, room_most_ms, media_lifetime_ms, changed_by)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (room_id) do update set max_lifetime_ms = excluded.max_lifetime_ms, room_least_ms = excluded.room_least_ms,
       room_most_ms = excluded.room_most_ms, media_lifetime_ms = excluded.media_lifetime_ms, changed_at = now(),
       changed_by = excluded.changed_by`,
    [roomId, maxLifetime_ms, roomLeast_ms ?? null, roomMost_ms ?? null, mediaLifetime_ms ?? null, by],
  );
}

/** Takes back what operators said of a room; says whether they had. */
export async function dropOverride(db: Omit<Db, "transaction">, roomId: string): Promise<boolean> {
  return (await db.change("delete from console.retention_policies where room_id = $1 and room_id <> ''", [roomId])) > 0;
}

/** The next rooms behind `after`, in the order of their ids, and how long what is said in them is kept. */
export async function nextLifetimes(
  ctx: Context,
  server: ServerPolicy,
  { after, limit }: { after: string; limit: number },
): Promise<Lifetime[]> {
  const rooms = await ctx.db.log.query<{ roomId: string; body: string | null }>(
    `select r.room_id as "roomId", (select e.body from log.state s join log.entries e on e.position = s.position
       where s.room_id = r.room_id and s.type = 'm.room.retention' and s.state_key = '') as body
     from log.rooms r where r.room_id > $1 order by r.room_id limit $2`,
    [after, limit],
  );
  const overrides = await overridesOf(
    ctx,
    rooms.map(({ roomId }) => roomId),
  );
  return rooms.map(({ roomId, body }) => ({
    roomId,
    ...lifetimeOf(server, { override: overrides.get(roomId), wish: body === null ? undefined : wishOf(body) }),
  }));
}

async function overridesOf(ctx: Context, roomIds: readonly string[]): Promise<ReadonlyMap<string, Policy>> {
  const rows = await ctx.db.console.query<Policy & { roomId: string }>(
    `select room_id as "roomId", max_lifetime_ms as "maxLifetime_ms" from console.retention_policies where room_id = any ($1)`,
    [roomIds],
  );
  return new Map(rows.map((row) => [row.roomId, row]));
}
