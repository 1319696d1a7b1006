/**
 * What each entry of the log means for the access graph. Pure: from the draft as it was before an entry to the draft after it.
 * Only who may do and read what is taken from the events, never what somebody wrote.
 */
import type { LogEntry } from "../log/entry.ts";
import { roomVersion } from "../rooms/rules/versions.ts";
import { clean } from "./clean.ts";
import { type Draft, nestingKey, pairKey } from "./draft.ts";
import { foldLevels, foldCreate } from "./fold-powers.ts";
import { isRestricted, type Membership, type MembershipRow, newRoom, type Room } from "./model.ts";

type Content = Record<string, unknown>;

/** Folds the entries in, in their order. */
export function foldAll(draft: Draft, entries: readonly LogEntry[]): void {
  for (const entry of entries) foldEntry(draft, entry);
}

function foldEntry(draft: Draft, entry: LogEntry): void {
  if (entry.kind === "device_list" || entry.kind === "session") {
    if (entry.userId !== null) draft.devicesOf.add(entry.userId);
    return;
  }
  if (entry.kind === "removal") {
    if (entry.type === "purged" && entry.roomId !== null) draft.purged.add(entry.roomId);
    return;
  }
  if (entry.stateKey === null) return foldRedaction(draft, entry);
  const fold = FOLDS[entry.type as string];
  if (!fold) return;
  const { content } = JSON.parse(entry.body) as { content: Content };
  const room = roomOf(draft, entry.roomId as string);
  fold({ draft, entry, content, room });
  draft.changed.rooms.add(room.roomId);
}

export interface Step {
  draft: Draft;
  entry: LogEntry;
  content: Content;
  room: Room;
}

function roomOf({ rooms }: Draft, roomId: string): Room {
  const known = rooms.get(roomId);
  if (known) return known;
  const made = newRoom(roomId);
  rooms.set(roomId, made);
  return made;
}

const text = (value: unknown) => (typeof value === "string" && value !== "" ? clean(value) : null);

/** What the graph takes from state events, by their type. */
const FOLDS: Record<string, (step: Step) => void> = {
  "m.room.create": (step) => foldCreate(step),
  "m.room.power_levels": (step) => foldLevels(step),
  "m.room.member": foldMember,
  "m.room.join_rules": foldJoinRules,
  "m.space.child": (step) => foldNesting(step, "child"),
  "m.space.parent": (step) => foldNesting(step, "parent"),
  "m.room.history_visibility": foldVisibility,
  "m.room.encryption": ({ room, entry }) => void (room.encrypted_ms ??= entry.ts),
  "m.room.name": ({ room, entry, content }) => {
    [room.name, room.nameEvent] = [text(content["name"]), entry.eventId];
  },
  "m.room.canonical_alias": ({ room, entry, content }) => {
    [room.alias, room.aliasEvent] = [text(content["alias"]), entry.eventId];
  },
  "m.room.tombstone": ({ room, entry, content }) => {
    [room.replacement, room.replacementEvent] = [text(content["replacement_room"]), entry.eventId];
  },
};

function foldMember({ draft, entry, content }: Step): void {
  const [roomId, userId] = [entry.roomId as string, entry.stateKey as string];
  const key = pairKey(roomId, userId);
  const before = draft.memberships.get(key);
  const membership = content["membership"] as Membership;
  if (membership === "join" && userId === entry.userId) draft.names.set(userId, text(content["displayname"]));
  // A change of name or picture is no change of membership.
  if (before?.membership === membership) return;
  const ts = entry.ts as number;
  const row = {
    userId,
    roomId,
    membership,
    since_ms: ts,
    sincePosition: entry.position,
    byUser: entry.userId as string,
    invitedBy: membership === "join" && before?.membership === "invite" ? before.byUser : null,
    invited_ms: membership === "join" && before?.membership === "invite" ? before.since_ms : null,
    vouchedBy: membership === "join" ? text(content["join_authorised_via_users_server"]) : null,
  };
  draft.memberships.set(key, row);
  draft.changed.memberships.add(key);
  foldStay(draft, key, { row, before, entry });
}

interface Change {
  row: MembershipRow;
  before: MembershipRow | undefined;
  entry: LogEntry;
}

function foldStay(draft: Draft, key: string, { row, before, entry }: Change): void {
  const stays = draft.stays.get(key) ?? [];
  draft.stays.set(key, stays);
  const { roomId, userId, since_ms, invited_ms } = row;
  const open = stays.find(({ untilPosition }) => untilPosition === null);
  if (before?.membership === "join" && open) [open.untilPosition, open.until_ms] = [entry.position, since_ms];
  if (row.membership !== "join") return;
  const invitedPosition = invited_ms === null ? null : (before?.sincePosition ?? null);
  const began = { fromPosition: entry.position, from_ms: since_ms, invitedPosition, invited_ms };
  stays.push({ userId, roomId, ...began, untilPosition: null, until_ms: null });
}

/** Specification: client-server-api, "Restricted rooms". Who may come in by another room is kept while the rule says so. */
function foldJoinRules({ draft, entry, content, room }: Step): void {
  room.joinRule = joinRuleIn(room, text(content["join_rule"]));
  const before = draft.admissions.get(room.roomId) ?? new Map();
  const now = new Map<string, { roomId: string; viaRoomId: string; byUser: string; since_ms: number }>();
  for (const viaRoomId of allowedRooms(room.joinRule, content["allow"])) {
    const fresh = { roomId: room.roomId, viaRoomId, byUser: entry.userId as string, since_ms: entry.ts as number };
    now.set(viaRoomId, before.get(viaRoomId) ?? fresh);
  }
  draft.admissions.set(room.roomId, now);
  draft.changed.admissions.add(room.roomId);
}

/** What a version does not know lets nobody in, as `private` does in all of them. */
function joinRuleIn({ roomVersion: version }: Room, rule: string | null): string {
  const isKnown = rule === "private" || roomVersion(version ?? "1")?.joinRules.has(rule) === true;
  return rule !== null && isKnown ? rule : "unknown";
}

function allowedRooms(joinRule: string, allow: unknown): string[] {
  if (!isRestricted(joinRule) || !Array.isArray(allow)) return [];
  return allow.flatMap((condition: Content | null) => {
    const roomId = condition?.["type"] === "m.room_membership" ? condition["room_id"] : undefined;
    return typeof roomId === "string" && roomId.startsWith("!") ? [clean(roomId)] : [];
  });
}

/** Specification: client-server-api, "Spaces": an event without a list of servers in `via` names nothing. */
function foldNesting({ draft, entry, content, room }: Step, saidBy: "child" | "parent"): void {
  const other = clean(entry.stateKey as string);
  const [spaceId, roomId] = saidBy === "child" ? [room.roomId, other] : [other, room.roomId];
  const key = nestingKey({ spaceId, roomId, saidBy });
  const isThere = Array.isArray(content["via"]) && content["via"].length > 0;
  const before = draft.nesting.get(key);
  draft.changed.nesting.set(key, { spaceId, roomId, saidBy });
  if (!isThere) return void draft.nesting.delete(key);
  const since = before ?? { byUser: entry.userId as string, since_ms: entry.ts as number };
  const { byUser, since_ms } = since;
  draft.nesting.set(key, { spaceId, roomId, saidBy, byUser, since_ms, eventId: entry.eventId as string });
}

/** Specification: client-server-api, "Room History Visibility". A value that is not understood counts as `shared`. */
function foldVisibility({ draft, entry, content, room }: Step): void {
  const value = text(content["history_visibility"]) ?? "";
  const known = ["world_readable", "shared", "invited", "joined"].includes(value);
  room.visibility = known ? value : "shared";
  const { position, ts, userId } = entry;
  const since = { position, since_ms: ts as number, byUser: userId as string };
  draft.visibilities.push({ roomId: room.roomId, visibility: room.visibility, ...since });
}

/** What a redaction takes away of what stands here. Rules and memberships keep what they say. */
function foldRedaction(draft: Draft, { redacts, roomId }: LogEntry): void {
  const room = roomId === null ? undefined : draft.rooms.get(roomId);
  if (!room || redacts === null) return;
  if (room.nameEvent === redacts) room.name = null;
  if (room.aliasEvent === redacts) room.alias = null;
  if (room.replacementEvent === redacts) room.replacement = null;
  draft.changed.rooms.add(room.roomId);
  for (const [key, nesting] of draft.nesting) {
    if (nesting.eventId !== redacts) continue;
    draft.nesting.delete(key);
    draft.changed.nesting.set(key, nesting);
  }
}
