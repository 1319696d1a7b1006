/** The signed-in devices of everybody, for operators. */
import type { Context } from "../context.ts";

export interface ListedDevice {
  sessionId: number;
  userId: string;
  deviceId: string;
  displayName: string | null;
  created_ms: number;
  /** Some minutes old at most. */
  lastSeen_ms: number;
  lastSeenAddress: string | null;
  /** Whether it is a token of a bot. */
  isBot: boolean;
  /** Of `last_seen_at`, exactly: for the cursor. */
  lastSeen_us: number;
}

const DEVICE = `session_id as "sessionId", user_id as "userId", device_id as "deviceId", display_name as "displayName",
  floor(extract(epoch from created_at) * 1000)::bigint as "created_ms",
  floor(extract(epoch from last_seen_at) * 1000)::bigint as "lastSeen_ms", last_seen_address as "lastSeenAddress", scopes is not null as "isBot",
  (extract(epoch from last_seen_at) * 1000000)::bigint as "lastSeen_us"`;

export function devicesOf(ctx: Context, userId: string): Promise<ListedDevice[]> {
  return ctx.db.auth.query<ListedDevice>(
    `select ${DEVICE} from auth.sessions where user_id = $1 order by last_seen_at desc, session_id desc`,
    [userId],
  );
}

export interface DeviceFilter {
  /** What the user id, the device id or the name holds. */
  text?: string | undefined;
  /** Not seen for so long. */
  unseen_ms?: number | undefined;
  /** Only tokens of bots, or none of them. */
  isBot?: boolean | undefined;
  /** The last of the page before. */
  after?: Pick<ListedDevice, "lastSeen_us" | "sessionId"> | undefined;
  limit: number;
}

const MATCHES = `($1::text is null or strpos(lower(user_id), $1) > 0 or strpos(lower(device_id), $1) > 0 or strpos(lower(display_name), $1) > 0)
  and ($2::bigint is null or last_seen_at < now() - $2::bigint * interval '1 millisecond')
  and ($6::boolean is null or (scopes is not null) = $6)`;

const page = (is: string, direction: string) =>
  `select ${DEVICE} from auth.sessions where ${MATCHES}
     and ($3::bigint is null or (last_seen_at, session_id) ${is} (timestamptz 'epoch' + $3::bigint * interval '1 microsecond', $4::bigint))
   order by last_seen_at ${direction}, session_id ${direction} limit $5`;

const PAGES = { last_seen_at: page(">", "asc"), "-last_seen_at": page("<", "desc") };

/** One page, along the index of when they were seen. */
export function listAllDevices(ctx: Context, order: keyof typeof PAGES, filter: DeviceFilter): Promise<ListedDevice[]> {
  const { text, unseen_ms, isBot, after, limit } = filter;
  return ctx.db.auth.query<ListedDevice>(PAGES[order], [
    text?.toLowerCase() ?? null,
    unseen_ms ?? null,
    after?.lastSeen_us ?? null,
    after?.sessionId ?? null,
    limit,
    isBot ?? null,
  ]);
}
