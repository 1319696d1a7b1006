/** The tables of the projection: what a stretch of the log needs of them, and what it leaves. */
import type { Transaction } from "../db/database.ts";
import { columnsOf, type TableName, upsertInto } from "./columns.ts";
import { type Draft, emptyDraft, nestingKey, pairKey, type Touched } from "./draft.ts";
import type { Admission, MembershipRow, Nesting, Power, Room, Stay } from "./model.ts";

const LOAD_ROOMS = `select ${columnsOf("rooms", "r")} from graph.rooms r where r.room_id = any ($1)`;
const PAIRS = "unnest($1::text[], $2::text[]) as k(room_id, user_id)";
const LOAD_MEMBERSHIPS = `select ${columnsOf("memberships", "m")} from ${PAIRS}
  join graph.memberships m on m.user_id = k.user_id and m.room_id = k.room_id`;
const LOAD_STAYS = `select ${columnsOf("stays", "s")} from ${PAIRS}
  join graph.stays s on s.user_id = k.user_id and s.room_id = k.room_id and s.until_position is null`;
const LOAD_POWERS = `select ${columnsOf("powers", "p")} from graph.powers p where p.room_id = any ($1)`;
const LOAD_ADMISSIONS = `select ${columnsOf("admissions", "a")} from graph.admissions a where a.room_id = any ($1)`;
const LOAD_NESTING = `select ${columnsOf("nesting", "n")} from graph.nesting n where n.space_id = any ($1)
  union select ${columnsOf("nesting", "n")} from graph.nesting n where n.room_id = any ($1)`;

/** The rows that the entries touch, as they are. */
export async function loadDraft(db: Transaction, touched: Touched): Promise<Draft> {
  const draft = emptyDraft();
  const pairs = [touched.members.map(({ roomId }) => roomId), touched.members.map(({ userId }) => userId)];
  for (const room of await db.query<Room>(LOAD_ROOMS, [touched.roomIds])) draft.rooms.set(room.roomId, room);
  for (const row of await db.query<MembershipRow>(LOAD_MEMBERSHIPS, pairs))
    draft.memberships.set(pairKey(row.roomId, row.userId), row);
  for (const stay of await db.query<Stay>(LOAD_STAYS, pairs))
    draft.stays.set(pairKey(stay.roomId, stay.userId), [stay]);
  const powers = await db.query<Power>(LOAD_POWERS, [touched.powersOf]);
  for (const [roomId, rows] of Map.groupBy(powers, (row) => row.roomId))
    draft.powers.set(roomId, new Map(rows.map((row) => [row.userId, row])));
  const admissions = await db.query<Admission>(LOAD_ADMISSIONS, [touched.admissionsOf]);
  for (const [roomId, rows] of Map.groupBy(admissions, (row) => row.roomId))
    draft.admissions.set(roomId, new Map(rows.map((row) => [row.viaRoomId, row])));
  for (const row of await db.query<Nesting>(LOAD_NESTING, [touched.nestingOf])) draft.nesting.set(nestingKey(row), row);
  return draft;
}

const UPSERTS = new Map<TableName, string>();
function upsert(table: TableName): string {
  const sql = UPSERTS.get(table) ?? upsertInto(table);
  UPSERTS.set(table, sql);
  return sql;
}

/** Writes rows of one table; their keys are different. */
export async function put(db: Transaction, table: TableName, rows: readonly object[]): Promise<void> {
  if (rows.length > 0) await db.query(upsert(table), [JSON.stringify(rows)]);
}

const DELETE_POWERS = `delete from graph.powers p using unnest($1::text[], $2::text[]) as kept(room_id, users)
  where p.room_id = kept.room_id and not p.user_id = any (array(select json_array_elements_text(kept.users::json)))`;
const DELETE_ADMISSIONS = `delete from graph.admissions a using unnest($1::text[], $2::text[]) as kept(room_id, vias)
  where a.room_id = kept.room_id and not a.via_room_id = any (array(select json_array_elements_text(kept.vias::json)))`;
const DELETE_NESTING = `delete from graph.nesting n using unnest($1::text[], $2::text[], $3::text[]) as k(space_id, room_id, said_by)
  where n.space_id = k.space_id and n.room_id = k.room_id and n.said_by = k.said_by`;
/** Who may vouch for a restricted join: a member who may invite. In rooms where that changed, or may have. */
const VOUCH = `update graph.rooms r set can_vouch = v.can
  from (select t.room_id, exists (
      select 1 from graph.memberships m left join graph.powers p on p.room_id = m.room_id and p.user_id = m.user_id
      where m.room_id = t.room_id and m.membership = 'join' and coalesce(p.level, t.users_default) >= t.invite_level) as can
    from graph.rooms t where t.room_id = any ($1) and t.join_rule in ('restricted', 'knock_restricted')) v
  where r.room_id = v.room_id and r.can_vouch <> v.can`;
const NAMES = `insert into graph.people (user_id, name) select r."userId", r.name
  from json_to_recordset($1::json) as r("userId" text, name text)
  on conflict (user_id) do update set name = coalesce(excluded.name, people.name) where people.name is distinct from excluded.name`;

/** Writes what changed, in the order in which a reader of the tables makes sense of it. */
export async function saveDraft(db: Transaction, draft: Draft): Promise<void> {
  const { changed } = draft;
  const of = <T>(keys: Set<string>, rows: Map<string, T>) => [...keys].flatMap((key) => rows.get(key) ?? []);
  await savePeople(db, draft);
  await put(db, "rooms", of(changed.rooms, draft.rooms));
  await put(db, "memberships", of(changed.memberships, draft.memberships));
  await put(
    db,
    "stays",
    [...changed.memberships].flatMap((key) => draft.stays.get(key) ?? []),
  );
  await put(db, "visibilities", draft.visibilities);
  await saveSets(db, draft);
  await db.query(VOUCH, [[...changed.rooms]]);
  if (draft.purged.size > 0) await removeRooms(db, [...draft.purged]);
}

/** Whoever is named in what changed; those who joined with the name that they gave themselves. */
async function savePeople(db: Transaction, { changed, memberships, powers, names }: Draft): Promise<void> {
  const members = [...changed.memberships].map((key) => memberships.get(key)?.userId as string);
  const mighty = [...changed.powers].flatMap((roomId) => [...(powers.get(roomId)?.keys() ?? [])]);
  const people = new Map<string, string | null>([...members, ...mighty].map((userId) => [userId, null]));
  for (const [userId, name] of names) people.set(userId, name);
  if (people.size > 0) await db.query(NAMES, [JSON.stringify([...people].map(([userId, name]) => ({ userId, name })))]);
}

/** Powers, admissions and nesting: what is no longer said goes. */
async function saveSets(db: Transaction, { changed, powers, admissions, nesting }: Draft): Promise<void> {
  const keysOf = (ids: Set<string>, rows: Map<string, Map<string, unknown>>) => [
    [...ids],
    [...ids].map((id) => JSON.stringify([...(rows.get(id)?.keys() ?? [])])),
  ];
  const all = <T>(ids: Set<string>, rows: Map<string, Map<string, T>>) =>
    [...ids].flatMap((id) => [...(rows.get(id)?.values() ?? [])]);
  if (changed.powers.size > 0) await db.query(DELETE_POWERS, keysOf(changed.powers, powers));
  await put(db, "powers", all(changed.powers, powers));
  if (changed.admissions.size > 0) await db.query(DELETE_ADMISSIONS, keysOf(changed.admissions, admissions));
  await put(db, "admissions", all(changed.admissions, admissions));
  const gone = [...changed.nesting].filter(([key]) => !nesting.has(key)).map(([, each]) => each);
  const goneBy = (name: "spaceId" | "roomId" | "saidBy") => gone.map((each) => each[name]);
  if (gone.length > 0) await db.query(DELETE_NESTING, [goneBy("spaceId"), goneBy("roomId"), goneBy("saidBy")]);
  await put(
    db,
    "nesting",
    [...changed.nesting.keys()].flatMap((key) => nesting.get(key) ?? []),
  );
}

const OF_ROOMS = ["memberships", "stays", "powers", "admissions", "visibilities", "rooms"];

async function removeRooms(db: Transaction, roomIds: readonly string[]): Promise<void> {
  for (const table of OF_ROOMS) await db.query(`delete from graph.${table} where room_id = any ($1)`, [roomIds]);
  await db.query("delete from graph.nesting where room_id = any ($1) or space_id = any ($1)", [roomIds]);
}

/** What the log tells goes, to be built anew. Devices stay: those that were signed out are known nowhere else. */
export async function emptyTables(db: Transaction): Promise<void> {
  for (const table of [...OF_ROOMS, "nesting"]) await db.query(`delete from graph.${table}`);
}
