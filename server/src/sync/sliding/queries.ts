/** What sliding sync reads of the log, for many rooms at once: each room from its own position on. */
import type { Context } from "../../context.ts";
import { DELIVERED, ENTRY_COLUMNS, type LogEntry } from "../../log/entry.ts";

/** Events after which clients sort rooms. MSC4186, `bump_stamp`. */
export const BUMP_TYPES = [
  "m.room.create",
  "m.room.message",
  "m.room.encrypted",
  "m.sticker",
  "m.call.invite",
  "m.poll.start",
  "org.matrix.msc3381.poll.start",
  "m.beacon_info",
  "org.matrix.msc3672.beacon_info",
];

export interface OutlineRow {
  roomId: string;
  last: number | null;
  bump: number | null;
  /** The bodies of the events. */
  create: string | null;
  name: string | null;
  encryptedAt: number | null;
}

/** Each is a look or two into an index, whatever the length of the rooms' histories. */
export function readOutlines(ctx: Context, roomIds: readonly string[]): Promise<OutlineRow[]> {
  const stateOf = (type: string) =>
    `(select e.body from log.state s join log.entries e on e.position = s.position
      where s.room_id = r.id and s.type = '${type}' and s.state_key = '')`;
  const newest = (condition: string) =>
    `(select e.position from log.entries e
      where e.kind = 'event' and e.room_id = r.id and ${condition} order by e.position desc limit 1)`;
  return ctx.db.log.query<OutlineRow>(
    `select r.id as "roomId", ${newest("true")} as last, ${newest("e.type = any ($2)")} as bump,
       ${stateOf("m.room.create")} as "create", ${stateOf("m.room.name")} as name,
       (select s.position from log.state s where s.room_id = r.id and s.type = 'm.room.encryption' and s.state_key = '') as "encryptedAt"
     from unnest($1::text[]) r(id) where exists (select from log.rooms k where k.room_id = r.id)`,
    [roomIds, BUMP_TYPES],
  );
}

/** The rooms that somebody else removed the person from after they had joined. */
export async function readPutOut(ctx: Context, userId: string): Promise<string[]> {
  const rows = await ctx.db.log.query<{ roomId: string }>(
    `select m.room_id as "roomId" from log.members m join log.entries e on e.position = m.position
     where m.user_id = $1 and m.membership in ('leave', 'ban') and not m.forgotten and e.user_id <> $1
       and exists (
         select from log.entries j
         where j.kind = 'event' and j.room_id = m.room_id and j.type = 'm.room.member' and j.state_key = $1
           and strpos(j.body, '"membership":"join"') > 0)`,
    [userId],
  );
  return rows.map(({ roomId }) => roomId);
}

export function readTags(ctx: Context, userId: string): Promise<{ roomId: string; content: string }[]> {
  return ctx.db.log.query(
    `select room_id as "roomId", content from log.account_data where user_id = $1 and room_id <> '' and type = 'm.tag'`,
    [userId],
  );
}

/** A stretch of one room: above `after`, up to and with `upTo`. */
export interface RoomStretch {
  roomId: string;
  after: number;
  upTo: number;
}

/** Of each stretch the newest `limit` events, oldest first. */
export function readEventsOf(
  ctx: Context,
  stretches: readonly (RoomStretch & { limit: number })[],
): Promise<LogEntry[]> {
  if (stretches.length === 0) return Promise.resolve([]);
  return ctx.db.log.query<LogEntry>(
    `select e.* from unnest($1::text[], $2::bigint[], $3::bigint[], $4::int[]) r(id, after, up_to, most) cross join lateral (
       select ${ENTRY_COLUMNS} from log.entries e
       where e.kind = 'event' and e.room_id = r.id and e.position > r.after and e.position <= r.up_to
       order by e.position desc limit r.most
     ) e order by e.position`,
    [...columnsOf(stretches), stretches.map(({ limit }) => limit)],
  );
}

/** Of each stretch the newest event for each piece of state that changed. */
export function readChangesOf(ctx: Context, stretches: readonly RoomStretch[]): Promise<LogEntry[]> {
  if (stretches.length === 0) return Promise.resolve([]);
  return ctx.db.log.query<LogEntry>(
    `select e.* from unnest($1::text[], $2::bigint[], $3::bigint[]) r(id, after, up_to) cross join lateral (
       select distinct on (e.type, e.state_key) ${ENTRY_COLUMNS} from log.entries e
       where e.kind = 'event' and e.room_id = r.id and e.state_key is not null and e.position > r.after and e.position <= r.up_to
       order by e.type, e.state_key, e.position desc
     ) e order by e.position`,
    columnsOf(stretches),
  );
}

/** The person's own memberships in the stretches, oldest first. */
export function readOwnMemberships(
  ctx: Context,
  userId: string,
  stretches: readonly RoomStretch[],
): Promise<LogEntry[]> {
  if (stretches.length === 0) return Promise.resolve([]);
  return ctx.db.log.query<LogEntry>(
    `select ${ENTRY_COLUMNS} from unnest($1::text[], $2::bigint[], $3::bigint[]) r(id, after, up_to)
     join log.entries e on e.kind = 'event' and e.room_id = r.id and e.type = 'm.room.member' and e.state_key = $4
       and e.position > r.after and e.position <= r.up_to
     order by e.position`,
    [...columnsOf(stretches), userId],
  );
}

/** Receipts that changed in the stretches, and that the person may see. */
export function readReceiptsOf(ctx: Context, userId: string, stretches: readonly RoomStretch[]): Promise<LogEntry[]> {
  if (stretches.length === 0) return Promise.resolve([]);
  return ctx.db.log.query<LogEntry>(
    `select ${ENTRY_COLUMNS} from unnest($1::text[], $2::bigint[], $3::bigint[]) r(id, after, up_to)
     join log.receipts c on c.room_id = r.id and c.position > r.after and c.position <= r.up_to
     join log.entries e on e.position = c.position
     where c.type = 'm.read' or c.user_id = $4 order by e.position`,
    [...columnsOf(stretches), userId],
  );
}

/** The person's own receipts in these rooms, and others' for these events. */
export function readReceiptsFor(
  ctx: Context,
  {
    userId,
    roomIds,
    eventIds,
    upTo,
  }: { userId: string; roomIds: readonly string[]; eventIds: readonly string[]; upTo: number },
): Promise<LogEntry[]> {
  if (roomIds.length === 0) return Promise.resolve([]);
  return ctx.db.log.query<LogEntry>(
    `select ${ENTRY_COLUMNS} from unnest($1::text[]) r(id)
     join log.receipts c on c.room_id = r.id and (c.user_id = $2 or (c.type = 'm.read' and c.event_id = any ($3)))
     join log.entries e on e.position = c.position where c.position <= $4 order by e.position`,
    [roomIds, userId, eventIds, upTo],
  );
}

/** The rooms in which the person read on in the stretch. */
export async function readOwnReading(
  ctx: Context,
  { userId, since, upTo }: { userId: string; since: number; upTo: number },
): Promise<Set<string>> {
  const rows = await ctx.db.log.query<{ roomId: string }>(
    `select distinct room_id as "roomId" from log.receipts
     where user_id = $1 and position > $2 and position <= $3 and type <> $4`,
    [userId, since, upTo, DELIVERED],
  );
  return new Set(rows.map(({ roomId }) => roomId));
}

export interface AccountDataRow {
  roomId: string;
  type: string;
  content: string;
}

/** The person's account data of these rooms; the room "" is global. What was written behind `upTo` is told again with the next. */
export function readAccountDataOfRooms(
  ctx: Context,
  userId: string,
  stretches: readonly Pick<RoomStretch, "roomId" | "after">[],
): Promise<AccountDataRow[]> {
  if (stretches.length === 0) return Promise.resolve([]);
  return ctx.db.log.query<AccountDataRow>(
    `select a.room_id as "roomId", a.type, a.content from unnest($2::text[], $3::bigint[]) r(id, after)
     join log.account_data a on a.user_id = $1 and a.room_id = r.id and a.position > r.after order by a.position`,
    [userId, stretches.map(({ roomId }) => roomId), stretches.map(({ after }) => after)],
  );
}

/** The device's to-device messages of the stretch, oldest first, and one more than the limit where there are more. */
export function readMessagesTo(
  ctx: Context,
  {
    userId,
    deviceId,
    since,
    upTo,
    limit,
  }: { userId: string; deviceId: string; since: number; upTo: number; limit: number },
): Promise<LogEntry[]> {
  return ctx.db.log.query<LogEntry>(
    `select ${ENTRY_COLUMNS} from log.entries e
     where e.kind = 'to_device' and e.user_id = $1 and e.device_id = $2 and e.position > $3 and e.position <= $4
     order by e.position limit $5`,
    [userId, deviceId, since, upTo, limit + 1],
  );
}

/** Whose devices changed in the stretch. */
export function readDeviceListsOf(ctx: Context, since: number, upTo: number): Promise<LogEntry[]> {
  return ctx.db.log.query<LogEntry>(
    `select distinct on (e.user_id, e.body) ${ENTRY_COLUMNS} from log.entries e
     where e.kind = 'device_list' and e.position > $1 and e.position <= $2 order by e.user_id, e.body, e.position desc`,
    [since, upTo],
  );
}

export interface MemberRow {
  roomId: string;
  userId: string;
  membership: string;
}

/** Whose membership of these rooms changed above `since`. */
export function readMembersSince(ctx: Context, roomIds: readonly string[], since: number): Promise<MemberRow[]> {
  if (roomIds.length === 0) return Promise.resolve([]);
  return ctx.db.log.query<MemberRow>(
    `select room_id as "roomId", user_id as "userId", membership from log.members
     where room_id = any ($1) and position > $2`,
    [roomIds, since],
  );
}

function columnsOf(stretches: readonly RoomStretch[]): unknown[] {
  return [
    stretches.map(({ roomId }) => roomId),
    stretches.map(({ after }) => after),
    stretches.map(({ upTo }) => upTo),
  ];
}
