/** The access graph in plain tables: what is more than one step away is found by recursive SQL. */
import type { Db } from "../db/database.ts";
import { columnsOf } from "./columns.ts";
import type {
  Admission,
  Device,
  Export,
  Fetch,
  LegalAccess,
  MembershipRow,
  Nesting,
  Person,
  Power,
  Room,
  Stay,
  Visibility,
} from "./model.ts";
import type { About, Graph } from "./port.ts";

const OPEN_ROOMS = `select ${columnsOf("rooms", "r")} from graph.rooms r where r.join_rule = 'public' or r.visibility = 'world_readable'`;
const ADMITS = "join graph.rooms r on r.room_id = a.room_id and r.can_vouch";
const FROM = `with recursive reached (room_id) as (
    select unnest($1::text[])
    union select a.room_id from reached join graph.admissions a on a.via_room_id = reached.room_id ${ADMITS}
  ) select ${columnsOf("admissions", "a")} from reached join graph.admissions a on a.via_room_id = reached.room_id ${ADMITS}`;
const INTO = `with recursive reached (room_id) as (
    select unnest($1::text[])
    union select a.via_room_id from reached join graph.admissions a on a.room_id = reached.room_id ${ADMITS}
  ) select ${columnsOf("admissions", "a")} from reached join graph.admissions a on a.room_id = reached.room_id ${ADMITS}
    join graph.rooms v on v.room_id = a.via_room_id`;
/** Those with power by name are few. Only where who is not named has it too, every member has to be looked at. */
const UNMANAGED = `select r.room_id as "roomId",
    (select count(*) from graph.memberships m where m.room_id = r.room_id and m.membership = 'join') as members
  from graph.rooms r
  where not exists (
      select 1 from graph.powers p join graph.memberships m on m.user_id = p.user_id and m.room_id = p.room_id and m.membership = 'join'
      where p.room_id = r.room_id and p.level >= r.manage_level)
    and (r.users_default < r.manage_level or not exists (
      select 1 from graph.memberships m where m.room_id = r.room_id and m.membership = 'join'
        and not exists (select 1 from graph.powers p where p.room_id = m.room_id and p.user_id = m.user_id)))`;
const MANAGERS = `select p.room_id as "roomId", p.user_id as "userId", p.level from graph.rooms r
    join graph.powers p on p.room_id = r.room_id and p.level >= r.manage_level
    join graph.memberships m on m.user_id = p.user_id and m.room_id = p.room_id and m.membership = 'join'
  where r.room_id = any ($1)
  union all
  select m.room_id, m.user_id, r.users_default from graph.rooms r join graph.memberships m on m.room_id = r.room_id and m.membership = 'join'
  where r.room_id = any ($1) and r.users_default >= r.manage_level
    and not exists (select 1 from graph.powers p where p.room_id = m.room_id and p.user_id = m.user_id)`;
const MEMBER_COUNTS = `select room_id as "roomId", count(*) as members from graph.memberships
  where room_id = any ($1) and membership = 'join' group by room_id`;
const COUNTS = `select (select count(*) from graph.people where kind = 'person') as person,
  (select count(*) from graph.people where kind = 'bot') as bot, (select count(*) from graph.people where kind = 'service') as service, (select count(*) from graph.devices) as device,
  (select count(*) from graph.rooms where not is_space) as room, (select count(*) from graph.rooms where is_space) as space,
  (select count(*) from graph.memberships where membership = 'join') as member, (select count(*) from graph.memberships where membership = 'invite') as invited,
  (select count(*) from graph.memberships where membership = 'ban') as banned, (select count(*) from graph.nesting) as contains,
  (select count(*) from graph.exports) as export, (select count(*) from graph.legal_access) as legal_access,
  (select count(*) from graph.people where role is not null) as operator, (select count(*) from graph.admissions) as admits, (select count(*) from graph.powers) as power`;
const FIND = {
  person: `select user_id as id, name from graph.people where lower(coalesce(name, user_id)) like $1 or user_id like $2 order by lower(coalesce(name, user_id)), user_id limit $3`,
  room: `select room_id as id, coalesce(name, alias) as name from graph.rooms where lower(coalesce(name, alias, room_id)) like $1 or alias like $2 or room_id like $2
    order by lower(coalesce(name, alias, room_id)), room_id limit $3`,
};

const all = (table: Parameters<typeof columnsOf>[0], where: string) =>
  `select ${columnsOf(table, "t")} from graph.${table} t where ${where}`;

const PEOPLE = all("people", "t.user_id = any ($1)");
const ROOMS = all("rooms", "t.room_id = any ($1)");
const DEVICES_OF = all("devices", "t.user_id = $1");
const MEMBERSHIPS_OF = all("memberships", "t.user_id = $1");
const MEMBERS_OF = all("memberships", "t.room_id = any ($1) and t.membership in ('join', 'invite', 'ban')");
const STAYS_OF = all("stays", "t.user_id = $1");
const VISIBILITIES_OF = all("visibilities", "t.room_id = any ($1)");
const POWERS_OF = all("powers", "t.user_id = $1");
const POWERS_IN = all("powers", "t.room_id = any ($1)");
const SPACES_OF = all(
  "nesting",
  "t.room_id = any ($1) and exists (select 1 from graph.rooms s where s.room_id = t.space_id)",
);
const ADMINISTRATORS = all("people", "t.is_admin or t.role is not null");
/** Of an export or a legal access: what was written in the room until then is in it. */
const wasIn = (person: string, room: string, until_ms: string) =>
  `exists (select 1 from graph.stays s where s.user_id = ${person} and s.room_id = ${room} and s.from_ms <= ${until_ms})`;
const EXPORTS: Record<About["of"], string> = {
  all: all("exports", "true"),
  person: all("exports", `t.user_id = $1 or ${wasIn("$1", "t.room_id", "t.made_ms")}`),
  room: all("exports", `t.room_id = $1 or ${wasIn("t.user_id", "$1", "t.made_ms")}`),
  by: all(
    "exports",
    "t.made_by = $1 or exists (select 1 from graph.fetches f where f.export_id = t.export_id and f.user_id = $1)",
  ),
};
const FETCHES_OF = all("fetches", "t.export_id = any ($1)");
const LEGAL_ACCESS: Record<About["of"], string> = {
  all: all("legal_access", "true"),
  person: all("legal_access", `t.user_id = $1 or ${wasIn("$1", "t.room_id", "t.ends_ms")}`),
  room: all("legal_access", `t.room_id = $1 or ${wasIn("t.user_id", "$1", "t.ends_ms")}`),
  by: all("legal_access", "t.holder = $1"),
};
const idOf = (about: About): string[] =>
  about.of === "all" ? [] : [about.of === "room" ? about.roomId : about.userId];
const UNSEEN = all("devices", "t.ended_ms is null and t.last_seen_ms < $1");

/** The graph as the tables have it. */
export function tablesGraph(db: Pick<Db, "query">): Graph {
  return {
    kind: "tables",
    people: (ids) => db.query<Person>(PEOPLE, [ids]),
    rooms: (ids) => db.query<Room>(ROOMS, [ids]),
    devicesOf: (userId) => db.query<Device>(DEVICES_OF, [userId]),
    membershipsOf: (userId) => db.query<MembershipRow>(MEMBERSHIPS_OF, [userId]),
    membersOf: (ids) => db.query<MembershipRow>(MEMBERS_OF, [ids]),
    staysOf: (userId) => db.query<Stay>(STAYS_OF, [userId]),
    visibilitiesOf: (ids) => db.query<Visibility>(VISIBILITIES_OF, [ids]),
    openRooms: () => db.query<Room>(OPEN_ROOMS),
    admissionsFrom: (ids) => db.query<Admission>(FROM, [ids]),
    admissionsInto: (ids) => db.query<Admission>(INTO, [ids]),
    powersOf: (userId) => db.query<Power>(POWERS_OF, [userId]),
    powersIn: (ids) => db.query<Power>(POWERS_IN, [ids]),
    spacesOf: (ids) => db.query<Nesting>(SPACES_OF, [ids]),
    managersOf: (ids) => db.query<{ roomId: string; userId: string; level: number }>(MANAGERS, [ids]),
    async memberCounts(ids) {
      const rows = await db.query<{ roomId: string; members: number }>(MEMBER_COUNTS, [ids]);
      return new Map(rows.map(({ roomId, members }) => [roomId, members]));
    },
    unmanaged: () => db.query<{ roomId: string; members: number }>(UNMANAGED),
    exports: (about) => db.query<Export>(EXPORTS[about.of], idOf(about)),
    fetchesOf: (ids) => db.query<Fetch>(FETCHES_OF, [ids]),
    legalAccess: (about) => db.query<LegalAccess>(LEGAL_ACCESS[about.of], idOf(about)),
    administrators: () => db.query<Person>(ADMINISTRATORS),
    devicesUnseenSince: (before_ms) => db.query<Device>(UNSEEN, [before_ms]),
    async roomCounts(ids) {
      const rows = await db.query<{ userId: string; rooms: number }>(
        `select user_id as "userId", count(*) as rooms from graph.memberships where user_id = any ($1) and membership = 'join' group by user_id`,
        [ids],
      );
      return new Map(rows.map(({ userId, rooms }) => [userId, rooms]));
    },
  };
}

/** People and rooms whose name begins so, for pickers. */
export function findByName(
  db: Pick<Db, "query">,
  { text, kind, limit }: { text: string; kind: "person" | "room"; limit: number },
): Promise<{ id: string; name: string | null }[]> {
  const pattern = `${text.replace(/[%_\\]/g, "\\$&")}%`;
  const prefix = /^[@!#]/.test(text) ? pattern : `${kind === "person" ? "@" : "#"}${pattern}`;
  return db.query(FIND[kind], [pattern.toLowerCase(), prefix, limit]);
}

/** How much of everything there is. */
export async function countAll(db: Pick<Db, "one">): Promise<Record<string, number>> {
  return (await db.one<Record<string, number>>(COUNTS)) ?? {};
}
