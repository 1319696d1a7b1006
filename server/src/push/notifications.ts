/**
 * GET /notifications: what a person was notified of, the newest first. It is worked out when somebody asks, as unread counts are (see
 * docs/decisions/0006). What was read is over, mentions aside: those can be looked up again.
 * Specification: client-server-api, push module, "Listing Notifications".
 */
import { z } from "zod";
import type { Context } from "../context.ts";
import { encoded, route, type Session } from "../http.ts";
import { limits } from "../limits.ts";
import { DELIVERED, ENTRY_COLUMNS, type LogEntry } from "../log/entry.ts";
import { threadOfSql } from "../log/threads.ts";
import { clientEvent } from "../messages/client-event.ts";
import { membershipsOf } from "../rooms/access.ts";
import type { Membership, RoomState } from "../rooms/state.ts";
import { personRules } from "./person-rules.ts";
import { preparedOf } from "./prepare.ts";
import type { CompiledRuleset, Outcome } from "./rules/evaluate.ts";
import { threadsOf } from "./threads.ts";

const query = z.object({
  from: z
    .string()
    .regex(/^\d{1,16}$/, { error: "it is the next_token of an earlier answer" })
    .optional(),
  limit: z.coerce.number().int().min(1).default(limits.notificationsDefault),
  only: z.string().optional(),
});

export const getNotifications = route({
  method: "GET",
  path: "/_matrix/client/v3/notifications",
  access: "session",
  rate: "search",
  query,
  async handle({ session, query: { from, limit, only } }, ctx) {
    const reader = await readerOf(ctx, session, only === "highlight");
    const before = from === undefined ? Number.MAX_SAFE_INTEGER : Number(from);
    const { found, next } = await gather(ctx, reader, { before, wanted: Math.min(limit, limits.notifications) });
    return encoded(`{"notifications":[${found.join(",")}]${next === undefined ? "" : `,"next_token":"${next}"`}}`);
  },
});

/** At most so many notifications of before a position, and where there may be more. It looks through so many events, and no more. */
async function gather(ctx: Context, reader: Reader, { before, wanted }: { before: number; wanted: number }) {
  const found: string[] = [];
  let next: number | undefined = before;
  for (let times = 0; next !== undefined && times < limits.notificationsScan_times; times++) {
    const entries = await candidates(ctx, reader, next);
    for (const entry of entries) {
      const notification = await notificationOf(ctx, reader, entry);
      if (notification && found.push(notification) === wanted) return { found, next: entry.position };
    }
    next = entries.length < limits.notificationsScan_events ? undefined : entries.at(-1)?.position;
  }
  return { found, next };
}

interface Reader {
  session: Session;
  rules: CompiledRuleset;
  roomIds: readonly string[];
  onlyHighlights: boolean;
  /** Whether the person has read the event: by a receipt, or since they said something behind it. */
  hasRead(entry: LogEntry): Promise<boolean>;
}

async function readerOf(ctx: Context, session: Session, onlyHighlights: boolean): Promise<Reader> {
  const { userId } = session;
  const memberships = await ctx.rooms.memberships(userId);
  const roomIds = [...memberships].flatMap(([roomId, { membership }]) =>
    membership === "join" || membership === "invite" ? [roomId] : [],
  );
  const rows = await ctx.db.log.query<{ key: string; position: number }>(
    `select room_id || ' ' || thread_id as key, max(event_position) as position from log.receipts
     where user_id = $1 and room_id = any($2) and type <> $3 group by room_id, thread_id`,
    [userId, roomIds, DELIVERED],
  );
  const upTo = new Map(rows.map(({ key, position }) => [key, position]));
  const saidUpTo = new Map<string, Promise<number>>();
  const hasRead = async (entry: LogEntry) => {
    const thread = await threadsOf(ctx).of(entry);
    const keys = ["", thread ?? "main"].map((name) => `${entry.roomId} ${name}`) as [string, string];
    if (keys.some((key) => entry.position <= (upTo.get(key) ?? 0))) return true;
    // The newest of a thread comes first: what was said behind it was said behind the others too.
    const said = saidUpTo.get(keys[1]) ?? lastSaidBehind(ctx, entry, { userId, thread });
    saidUpTo.set(keys[1], said);
    return entry.position <= (await said);
  };
  return { session, rules: await personRules(ctx).get(userId), roomIds, onlyHighlights, hasRead };
}

/** Where the person last said something in the event's thread, behind it; 0: they did not. */
async function lastSaidBehind(
  ctx: Context,
  { roomId, position }: LogEntry,
  { userId, thread }: { userId: string; thread: string | null },
): Promise<number> {
  const row = await ctx.db.log.one<{ position: number | null }>(
    `select max(e.position) as position from log.entries e
     where e.kind = 'event' and e.room_id = $1 and e.position > $2 and e.user_id = $3 and e.state_key is null
       and ${threadOfSql("e")} is not distinct from $4`,
    [roomId, position, userId, thread],
  );
  return row?.position ?? 0;
}

/** The newest events of the person's rooms before a position: each room gives its newest, and of those the newest are taken. */
async function candidates(ctx: Context, { roomIds }: Reader, before: number): Promise<LogEntry[]> {
  const entries = await ctx.db.log.query<LogEntry>(
    `select ${ENTRY_COLUMNS} from log.entries e where e.position in (
       select n.position from unnest($1::text[]) r(id) cross join lateral (
         select e.position from log.entries e
         where e.kind = 'event' and e.room_id = r.id and e.position < $2 order by e.position desc limit $3
       ) n order by n.position desc limit $3)
     order by e.position desc`,
    [roomIds, before, limits.notificationsScan_events],
  );
  await ctx.log.reached(entries[0]?.position ?? 0);
  return entries;
}

/** The JSON of one notification; undefined where the event is none. */
async function notificationOf(ctx: Context, reader: Reader, entry: LogEntry): Promise<string | undefined> {
  const { session, rules, onlyHighlights } = reader;
  const room = await ctx.rooms.load(entry.roomId as string);
  const outcome = rules(preparedOf(entry, room));
  if (!outcome.notify) return undefined;
  const read = await reader.hasRead(entry);
  if ((read || onlyHighlights) && !outcome.highlight) return undefined;
  const membership = await membershipAt(ctx, { room, userId: session.userId, entry });
  const isOwnInvite = membership === "invite" && entry.stateKey === session.userId;
  if (membership !== "join" && !isOwnInvite) return undefined;
  const event = clientEvent(entry, { sessionId: session.id, membership });
  const rest = JSON.stringify({
    actions: actionsOf(outcome),
    profile_tag: "",
    read,
    room_id: room.roomId,
    ts: entry.ts,
  });
  return `${rest.slice(0, -1)},"event":${event}}`;
}

interface Moment {
  room: RoomState;
  userId: string;
  entry: LogEntry;
}

async function membershipAt(ctx: Context, { room, userId, entry }: Moment): Promise<Membership> {
  return (await membershipsOf(ctx, room, userId))(entry.position);
}

function actionsOf({ tweaks }: Outcome): unknown[] {
  const set = Object.entries(tweaks).map(([name, value]) => ({ set_tweak: name, value }));
  return ["notify", ...set];
}
