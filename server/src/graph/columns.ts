/** The columns of each table, under the names of its rows in model.ts: in one place for who reads and who writes. */

export type TableName = keyof typeof tables;

interface Column {
  name: string;
  column: string;
  type: "text" | "bigint" | "boolean" | "text[]";
}

function columns(spec: string): Column[] {
  return spec.split(/,\s*/).map((each) => {
    const [name = "", column = "", type = "text"] = each.split(" ");
    return { name, column, type: type as Column["type"] };
  });
}

const tables = {
  people: {
    key: "user_id",
    columns: columns(
      "userId user_id, name name, isAdmin is_admin boolean, status status, kind kind, created_ms created_ms bigint, role role, roleBy role_by, role_ms role_ms bigint",
    ),
  },
  exports: {
    key: "export_id",
    columns: columns(
      "exportId export_id bigint, userId user_id, roomId room_id, madeBy made_by, made_ms made_ms bigint, until_ms until_ms bigint, accessId access_id bigint",
    ),
  },
  fetches: {
    key: "fetch_id",
    columns: columns(
      "fetchId fetch_id bigint, exportId export_id bigint, userId user_id, deviceId device_id, fetched_ms fetched_ms bigint",
    ),
  },
  legal_access: {
    key: "access_id",
    columns: columns(
      "accessId access_id bigint, userId user_id, roomId room_id, holder holder, caseReference case_reference, grantedBy granted_by, granted_ms granted_ms bigint, ends_ms ends_ms bigint",
    ),
  },
  devices: {
    key: "user_id, device_id",
    columns: columns(
      "userId user_id, deviceId device_id, name name, created_ms created_ms bigint, lastSeen_ms last_seen_ms bigint, isVerified is_verified boolean, hasKeys has_keys boolean, ended_ms ended_ms bigint",
    ),
  },
  rooms: {
    key: "room_id",
    columns: columns(
      "roomId room_id, name name, nameEvent name_event, alias alias, aliasEvent alias_event, isSpace is_space boolean, roomVersion room_version, creators creators text[], created_ms created_ms bigint, joinRule join_rule, visibility visibility, encrypted_ms encrypted_ms bigint, predecessor predecessor, replacement replacement, replacementEvent replacement_event, usersDefault users_default bigint, inviteLevel invite_level bigint, manageLevel manage_level bigint, hasLevels has_levels boolean",
    ),
  },
  memberships: {
    key: "user_id, room_id",
    columns: columns(
      "userId user_id, roomId room_id, membership membership, since_ms since_ms bigint, sincePosition since_position bigint, byUser by_user, invitedBy invited_by, invited_ms invited_ms bigint, vouchedBy vouched_by",
    ),
  },
  stays: {
    key: "user_id, room_id, from_position",
    columns: columns(
      "userId user_id, roomId room_id, fromPosition from_position bigint, from_ms from_ms bigint, untilPosition until_position bigint, until_ms until_ms bigint, invitedPosition invited_position bigint, invited_ms invited_ms bigint",
    ),
  },
  powers: {
    key: "room_id, user_id",
    columns: columns(
      "roomId room_id, userId user_id, level level bigint, grantedBy granted_by, granted_ms granted_ms bigint",
    ),
  },
  nesting: {
    key: "space_id, room_id, said_by",
    columns: columns(
      "spaceId space_id, roomId room_id, saidBy said_by, byUser by_user, since_ms since_ms bigint, eventId event_id",
    ),
  },
  admissions: {
    key: "room_id, via_room_id",
    columns: columns("roomId room_id, viaRoomId via_room_id, byUser by_user, since_ms since_ms bigint"),
  },
  visibilities: {
    key: "room_id, position",
    columns: columns(
      "roomId room_id, position position bigint, visibility visibility, since_ms since_ms bigint, byUser by_user",
    ),
  },
} as const;

/** For a select: the columns of the table as `alias`, under the names of its rows. */
export function columnsOf(table: TableName, alias: string): string {
  const own = tables[table].columns.map(({ name, column }) => `${alias}.${column} as "${name}"`);
  return [...own, ...(table === "rooms" ? [`${alias}.can_vouch as "canVouch"`] : [])].join(", ");
}

/** Writes rows, $1 as a JSON array of them: new ones, and over those with the same key. */
export function upsertInto(table: TableName): string {
  const { key, columns: all } = tables[table];
  const names = all.map(({ column }) => column).join(", ");
  const keys = key.split(", ");
  const values = all.filter(({ column }) => !keys.includes(column));
  const set = values.map(({ column }) => `${column} = excluded.${column}`).join(", ");
  const from = all.map(({ name }) => `r."${name}"`).join(", ");
  const types = all.map(({ name, type }) => `"${name}" ${type}`).join(", ");
  const update = set === "" ? "nothing" : `update set ${set}`;
  // Creators come as a JSON array, which a text[] takes as it is.
  return `insert into graph.${table} (${names}) select ${from} from json_to_recordset($1::json) as r(${types}) on conflict (${key}) do ${update}`;
}

/** A row from the properties of a node or edge, which have the names of the columns. */
export function rowOf(table: TableName, properties: Readonly<Record<string, unknown>>): object {
  const own = tables[table].columns.map(({ name, column }) => [name, properties[column] ?? null]);
  return Object.fromEntries([...own, ...(table === "rooms" ? [["canVouch", properties["can_vouch"]]] : [])]);
}
