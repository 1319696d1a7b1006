/** What operators may know of accounts. What they do with them is in for-operators-acts.ts. */
import type { Context } from "../context.ts";

/** What decides whether a person may act as an operator, now. */
export interface Standing {
  isAdmin: boolean;
  /** Neither deactivated nor kept from acting. */
  isActive: boolean;
  /** Changes whenever all sessions of the account are ended. */
  sessionEndings: number;
}

/** Undefined where there is no such account. */
export function readStanding(ctx: Context, userId: string): Promise<Standing | undefined> {
  return ctx.db.auth.one<Standing>(
    `select is_admin as "isAdmin", deactivated_at is null and suspended_at is null and read_only_at is null as "isActive",
       session_endings as "sessionEndings"
     from auth.accounts where user_id = $1`,
    [userId],
  );
}

/** `suspended`: locked out, in Matrix's words locked. `read_only`: in Matrix's words suspended. */
export const accountStatuses = ["active", "suspended", "read_only", "deactivated"] as const;
export type AccountStatus = (typeof accountStatuses)[number];

export interface AccountRow {
  userId: string;
  isAdmin: boolean;
  status: AccountStatus;
  created_ms: number;
  /** Since when it is kept from signing in or from acting. */
  suspended_ms: number | null;
  deactivated_ms: number | null;
  hasPassword: boolean;
  devices: number;
  /** Of any device, some minutes old at most; null where nobody is signed in. */
  lastSeen_ms: number | null;
}

const ACCOUNT = `a.user_id as "userId", a.is_admin as "isAdmin", a.password_hash is not null as "hasPassword",
  case when a.deactivated_at is not null then 'deactivated' when a.suspended_at is not null then 'suspended'
    when a.read_only_at is not null then 'read_only' else 'active' end as status,
  floor(extract(epoch from a.created_at) * 1000)::bigint as "created_ms",
  floor(extract(epoch from coalesce(a.suspended_at, a.read_only_at)) * 1000)::bigint as "suspended_ms",
  floor(extract(epoch from a.deactivated_at) * 1000)::bigint as "deactivated_ms"`;

/** Of the accounts of one page alone. */
const DEVICES = `left join lateral (
    select count(*) as devices, floor(extract(epoch from max(s.last_seen_at)) * 1000)::bigint as "lastSeen_ms"
    from auth.sessions s where s.user_id = a.user_id
  ) d on true`;

export async function readAccount(ctx: Context, userId: string): Promise<AccountRow | undefined> {
  return ctx.db.auth.one<AccountRow>(
    `select ${ACCOUNT}, d.devices, d."lastSeen_ms" from auth.accounts a ${DEVICES} where a.user_id = $1`,
    [userId],
  );
}

export interface AccountFilter {
  status?: AccountStatus | undefined;
  /** Only these people. */
  among?: readonly string[] | undefined;
  /** What the user id holds, and whom it finds otherwise. */
  search?: { text: string; named: readonly string[] } | undefined;
  /** The last of the page before. */
  after?: Pick<ListedAccount, "key" | "userId"> | undefined;
  limit: number;
}

export const accountOrders = ["user_id", "created_at", "-created_at", "last_seen_at", "-last_seen_at"] as const;
export type AccountOrder = (typeof accountOrders)[number];

export type ListedAccount = AccountRow & { key: string };

const MATCHES = `($1::text is null or case $1 when 'active' then a.deactivated_at is null and a.suspended_at is null and a.read_only_at is null
      when 'suspended' then a.suspended_at is not null and a.deactivated_at is null
      when 'read_only' then a.read_only_at is not null and a.suspended_at is null and a.deactivated_at is null else a.deactivated_at is not null end)
    and ($2::text[] is null or a.user_id = any ($2)) and ($3::text is null or strpos(a.user_id, $3) > 0 or a.user_id in (select unnest($7::text[])))`;

/** One statement for each order. By name and by age they go along an index, so that the last page costs what the first does. */
const PAGES: Record<AccountOrder, string> = {
  user_id: page({ key: "''", after: "$4::text is not null and a.user_id > $5", by: "a.user_id" }),
  created_at: byCreation(">", "asc"),
  "-created_at": byCreation("<", "desc"),
  last_seen_at: bySeen(">", "asc"),
  "-last_seen_at": bySeen("<", "desc"),
};

interface PageOf {
  /** What stands in the cursor beside the user id. */
  key: string;
  after: string;
  by: string;
  from?: string;
}

function page({ key, after, by, from = "auth.accounts" }: PageOf): string {
  return `with shown as (
      select a.user_id, (${key})::text as key from ${from} a
      where ${MATCHES} and ($5::text is null or ${after}) order by ${by} limit $6
    )
    select ${ACCOUNT}, shown.key, d.devices, d."lastSeen_ms"
    from shown join auth.accounts a using (user_id) ${DEVICES} order by ${by.replace("a.seen", "shown.key::bigint")}`;
}

function byCreation(is: string, direction: string): string {
  return page({
    key: "(extract(epoch from a.created_at) * 1000000)::bigint",
    after: `(a.created_at, a.user_id) ${is} (timestamptz 'epoch' + $4::bigint * interval '1 microsecond', $5)`,
    by: `a.created_at ${direction}, a.user_id ${direction}`,
  });
}

/** Whoever is signed in nowhere counts as seen before everybody else. */
function bySeen(is: string, direction: string): string {
  return page({
    from: `(select user_id, deactivated_at, suspended_at, read_only_at, coalesce(floor(extract(epoch from s.seen_at) * 1000)::bigint, -1) as seen from auth.accounts
        left join (select user_id, max(last_seen_at) as seen_at from auth.sessions group by user_id) s using (user_id))`,
    key: "a.seen",
    after: `(a.seen, a.user_id) ${is} ($4::bigint, $5)`,
    by: `a.seen ${direction}, a.user_id ${direction}`,
  });
}

/** One page of accounts. */
export function listAccounts(ctx: Context, order: AccountOrder, filter: AccountFilter): Promise<ListedAccount[]> {
  const { status, among, search, after, limit } = filter;
  return ctx.db.auth.query<ListedAccount>(PAGES[order], [
    status ?? null,
    among ?? null,
    search?.text ?? null,
    after?.key ?? null,
    after?.userId ?? null,
    limit,
    search?.named ?? [],
  ]);
}

/** How many accounts there are of each status. */
export async function countAccounts(ctx: Context): Promise<Record<AccountStatus | "all", number>> {
  const row = await ctx.db.auth.one<Record<AccountStatus | "all", number>>(
    `select count(*) as all, count(*) filter (where deactivated_at is not null) as deactivated,
       count(*) filter (where suspended_at is not null and deactivated_at is null) as suspended,
       count(*) filter (where read_only_at is not null and suspended_at is null and deactivated_at is null) as read_only,
       count(*) filter (where suspended_at is null and read_only_at is null and deactivated_at is null) as active from auth.accounts`,
  );
  return row ?? { all: 0, active: 0, suspended: 0, read_only: 0, deactivated: 0 };
}

/** Whoever is an administrator of the server and not deactivated. */
export async function listAdmins(ctx: Context): Promise<string[]> {
  const rows = await ctx.db.auth.query<{ userId: string }>(
    `select user_id as "userId" from auth.accounts where is_admin and deactivated_at is null order by user_id`,
  );
  return rows.map(({ userId }) => userId);
}
