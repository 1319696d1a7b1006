/** The accounts that directories see, and what they have said of them. */
import { profileOf } from "../account/profile.ts";
import { addressesOf, ownerOfAddress } from "../auth/email/addresses.ts";
import { suggestedName } from "../auth/sso/identity.ts";
import { readBot } from "../bots/queries.ts";
import type { Context } from "../context.ts";
import { localpartOf } from "../rooms/rules/identifiers.ts";
import type { Described, Email, Name } from "./described.ts";
import type { Filter } from "./filter.ts";

export interface Person extends Described {
  userId: string;
  isAdmin: boolean;
  /** Whether a directory made it or took it over. */
  isAdopted: boolean;
  /** Whether it is suspended, and a directory did that. */
  isOwnSuspension: boolean;
  /** Counts what directories have said; null where none has. */
  version: number | null;
  created_ms: number;
  changed_ms: number;
}

interface Row {
  userId: string;
  isAdmin: boolean;
  isLocked: boolean;
  isOwnSuspension: boolean;
  userName: string | null;
  externalId: string | null;
  described: string | null;
  version: number | null;
  created_ms: number;
  changed_ms: number;
}

const millis = (of: string) => `floor(extract(epoch from ${of}) * 1000)::bigint`;
const COLUMNS = `a.user_id as "userId", a.is_admin as "isAdmin", a.suspended_at is not null as "isLocked",
  coalesce(p.suspended_at = a.suspended_at, false) as "isOwnSuspension",
  p.user_name as "userName", p.external_id as "externalId", p.described, p.version,
  ${millis("coalesce(p.created_at, a.created_at)")} as created_ms, ${millis("coalesce(p.changed_at, a.created_at)")} as changed_ms`;
const OPEN = "a.deactivated_at is null and not a.is_guest";
const ADOPTED = `from auth.scim_people p join auth.accounts a on a.user_id = p.user_id and ${OPEN} where p.removed_at is null`;

/** The account of a person; undefined where there is none, it has ended, or it is that of a program. */
export async function readPerson(ctx: Context, userId: string): Promise<Person | undefined> {
  const row = await ctx.db.auth.one<Row>(
    `select ${COLUMNS} from auth.accounts a left join auth.scim_people p on p.user_id = a.user_id and p.removed_at is null
     where a.user_id = $1 and ${OPEN}`,
    [userId],
  );
  if (!row || (row.described === null && (await isProgram(ctx, userId)))) return undefined;
  return row.described === null ? unadopted(ctx, row) : adopted(row);
}

/** Bots, users of application services and the server's own accounts are nobody's to provision. */
export async function isProgram(ctx: Context, userId: string): Promise<boolean> {
  if (localpartOf(userId).startsWith("_")) return true;
  return (
    ctx.services.all().some((each) => each.user(userId) === "exclusive") || (await readBot(ctx, userId)) !== undefined
  );
}

function adopted(row: Row): Person {
  const { userName, externalId, described, isLocked, ...rest } = row;
  const said = JSON.parse(described as string) as Said;
  return {
    ...rest,
    ...said,
    userName: userName as string,
    externalId: externalId ?? undefined,
    displayName: said.displayName,
    name: said.name,
    active: !isLocked,
    isAdopted: true,
  };
}

/** What Parley itself knows, until a directory says something. */
async function unadopted(ctx: Context, { isLocked, userName: _, described: __, ...row }: Row): Promise<Person> {
  const [profile, addresses] = await Promise.all([profileOf(ctx, row.userId), addressesOf(ctx, row.userId)]);
  return {
    ...row,
    userName: localpartOf(row.userId),
    externalId: undefined,
    displayName: profile.displayname,
    name: undefined,
    emails: addresses.map(({ address }, i) => ({
      value: address,
      type: undefined,
      primary: i === 0,
      display: undefined,
    })),
    active: !isLocked,
    isAdopted: false,
  };
}

interface Said {
  displayName?: string;
  name?: Name;
  emails: readonly Email[];
}

/** What is kept of a description beside the columns. */
export function saidOf({ displayName, name, emails }: Described): string {
  return JSON.stringify({ displayName, name, emails });
}

/** Whom a filter finds; undefined where it finds nobody. */
export async function findPerson(ctx: Context, { by, value }: Filter): Promise<Person | undefined> {
  if (by === "id") return readById(ctx, value);
  if (by === "email") {
    const owner = await ownerOfAddress(ctx, value.trim().normalize("NFC").toLowerCase());
    return owner === undefined ? undefined : readPerson(ctx, owner);
  }
  const is = by === "externalId" ? "p.external_id = $1" : "lower(p.user_name) = lower($1)";
  const row = await ctx.db.auth.one<Row>(`select ${COLUMNS} ${ADOPTED} and ${is}`, [value]);
  if (row) return adopted(row);
  return by === "userName" ? findUnadopted(ctx, value) : undefined;
}

/** An account from before the directory came, by the name that it would be given. */
async function findUnadopted(ctx: Context, userName: string): Promise<Person | undefined> {
  const found = await readPerson(ctx, `@${nameFor(userName)}:${ctx.config.serverName}`);
  return found?.isAdopted ? undefined : found;
}

/** The localpart for a userName: of an address its first part, without what can not be in a user id. Empty where nothing is left. */
export function nameFor(userName: string): string {
  const name = (userName.trim().split("@")[0] as string).toLowerCase();
  return /^[a-z0-9._=/+-]+$/.test(name) ? name : suggestedName(name);
}

/** One page of those whom directories made or took over, in the order in which they came, and how many there are. */
export async function listPeople(
  ctx: Context,
  { skip, count }: { skip: number; count: number },
): Promise<{ people: Person[]; total: number }> {
  const counted = await ctx.db.auth.one<{ total: number }>(`select count(*) as total ${ADOPTED}`);
  const total = counted?.total ?? 0;
  if (count === 0 || skip >= total) return { people: [], total };
  const rows = await ctx.db.auth.query<Row>(
    `select ${COLUMNS} ${ADOPTED} order by p.created_at, p.user_id offset $1 limit $2`,
    [skip, count],
  );
  return { people: rows.map(adopted), total };
}

/** The id of a person for directories: stands for the user id, which has characters that mean something in an address. */
export function idOf(userId: string): string {
  return Buffer.from(userId).toString("base64url");
}

/** Undefined for what is no id, or nobody's. */
export async function readById(ctx: Context, id: string): Promise<Person | undefined> {
  const userId = Buffer.from(id, "base64url").toString();
  return idOf(userId) === id && !userId.includes("\0") ? readPerson(ctx, userId) : undefined;
}
