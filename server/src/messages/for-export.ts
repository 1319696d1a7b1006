/** What the log has of a person: see person/section.ts. */
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { type Asked, type Page, type Section, sectionOf } from "../person/section.ts";

export const sections: readonly Section[] = [
  sectionOf({
    name: "memberships",
    about: "Rooms in which the person is or was.",
    schema: "log",
    key: "room_id",
    record: "json_build_object('room_id', room_id, 'membership', membership, 'forgotten', forgotten)",
    from: "log.members where user_id = $1",
  }),
  sectionOf({
    name: "account_data",
    about: "Settings of clients, tags, the list of direct chats and the like, of all rooms and of each.",
    schema: "log",
    key: "room_id || ' ' || type",
    record: "json_build_object('room_id', nullif(room_id, ''), 'type', type, 'content', content::json)",
    from: "log.account_data where user_id = $1",
  }),
  sectionOf({
    name: "receipts",
    about: "How far the person has read, in each room.",
    schema: "log",
    key: "room_id || ' ' || type || ' ' || thread_id",
    record: `json_build_object('room_id', room_id, 'type', type, 'thread_id', nullif(thread_id, ''), 'event_id', event_id, 'ts', ts)`,
    from: "log.receipts where user_id = $1",
  }),
  sectionOf({
    name: "to_device",
    about: "Messages between devices that wait for one of the person's. Mostly encrypted.",
    schema: "log",
    key: "lpad(position::text, 19, '0')",
    record: "json_build_object('device_id', device_id, 'message', body::json)",
    from: "log.entries where kind = 'to_device' and user_id = $1",
  }),
  {
    name: "events",
    about:
      "Everything that the person has sent into rooms, and how they came to be in them. What was encrypted is, since the server has no key.",
    read: readEvents,
  },
];

/** Where a person's events are looked for next: in a room, behind a position. */
export interface EventPlace {
  roomId: string;
  after: number;
}

/** The place as text, and what stands in it: room ids have no spaces. */
const placeOf = ({ roomId, after }: EventPlace) => `${roomId} ${after}`;

function readPlace(text: string): EventPlace {
  const [roomId = "", after = "0"] = text.split(" ");
  return { roomId, after: Number(after) };
}

export interface Sent {
  roomId: string;
  /** What the person has sent there, and what others said of their membership, among the events that were looked at. */
  events: readonly { position: number; body: string }[];
  /** Where to look next; undefined behind the last room. */
  next: EventPlace | undefined;
}

/**
 * Looks through the next events of the next room in which the person is or was. There is no index of senders, which every send would
 * have to keep: what is asked once in a person's life looks through their rooms.
 */
export async function nextSent(ctx: Context, userId: string, from: EventPlace): Promise<Sent | undefined> {
  const limit = limits.removalScan_events;
  const roomId = from.after > 0 ? from.roomId : await nextRoom(ctx, userId, from.roomId);
  if (roomId === undefined) return undefined;
  const rows = await ctx.db.log.query<{ position: number; body: string | null }>(
    `select position, case when user_id = $3 or type = 'm.room.member' and state_key = $3 then body end as body from log.entries
     where kind = 'event' and room_id = $1 and position > $2 order by position limit $4`,
    [roomId, from.after, userId, limit],
  );
  const events = rows.flatMap(({ position, body }) => (body === null ? [] : [{ position, body }]));
  const last = rows.at(-1)?.position ?? 0;
  return { roomId, events, next: { roomId, after: rows.length === limit ? last : 0 } };
}

/** The first room behind it. */
async function nextRoom(ctx: Context, userId: string, after: string): Promise<string | undefined> {
  const row = await ctx.db.log.one<{ roomId: string }>(
    `select room_id as "roomId" from log.members where user_id = $1 and room_id collate "C" > $2 order by room_id collate "C" limit 1`,
    [userId, after],
  );
  return row?.roomId;
}

async function readEvents(ctx: Context, { userId, after }: Asked): Promise<Page> {
  const sent = await nextSent(ctx, userId, readPlace(after));
  if (!sent) return { records: [], next: undefined };
  const room = `{"room_id":${JSON.stringify(sent.roomId)},`;
  return { records: sent.events.map(({ body }) => room + body.slice(1)), next: sent.next && placeOf(sent.next) };
}

const RECEIPTS = `with gone as (
    delete from log.receipts where ctid = any (array(select ctid from log.receipts where user_id = $1 limit $2)) returning position
  ) delete from log.entries e using gone where e.position = gone.position and e.kind = 'receipt'`;
const ACCOUNT_DATA = `with gone as (
    delete from log.account_data where user_id = $1 returning position
  ) delete from log.entries e using gone where e.position = gone.position and e.kind = 'account_data'`;

/** Removes receipts, account data and waiting messages of somebody whose account ends. Says whether there may be more. */
export async function eraseNotes(ctx: Context, userId: string): Promise<boolean> {
  if ((await ctx.db.log.change(RECEIPTS, [userId, limits.removal_events])) > 0) return true;
  await ctx.db.log.change(ACCOUNT_DATA, [userId]);
  await ctx.db.log.change("delete from log.entries where kind = 'to_device' and user_id = $1", [userId]);
  return false;
}

/**
 * Of the person's last membership in each room there stays that it is over. What a membership was before stands beside it
 * (`prev_content`), and goes. Gives how many there were.
 */
export function eraseMemberships(ctx: Context, userId: string): Promise<number> {
  return ctx.db.log.change(
    `update log.entries e set unsigned = null from log.members m
     where m.user_id = $1 and e.position = m.position and e.unsigned is not null`,
    [userId],
  );
}
