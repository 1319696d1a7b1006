/** What a room is to the person, which decides its icon and its section. */
export type RoomKind = "public" | "private" | "restricted" | "direct";

export type Presence = "online" | "unavailable" | "offline";

/** A row of the sidebar: everything that it shows, and nothing that it must compute. */
export interface RoomEntry {
  id: string;
  name: string;
  kind: RoomKind;
  membership: "join" | "invite" | "knock";
  /** There is something to read. */
  unread: boolean;
  /** How many messages name the person; for a direct room, how many are unread. */
  count: number;
  /** When something last happened, in milliseconds since 1970; 0 when nothing is known. */
  lastActive_ms: number;
  avatarMxc?: string | undefined;
  /** The other person of a direct room with two members. */
  peer?: string | undefined;
  presence?: Presence | undefined;
  /** Something typed here waits to be sent. */
  draft: boolean;
  muted: boolean;
  /** For an invite: who sent it. */
  inviter?: string | undefined;
}

export interface RoomSection {
  id: "invites" | "channels" | "direct";
  title: string;
  rooms: RoomEntry[];
}

export interface RoomsSnapshot {
  /** False until the first answer of the server or of the local store. */
  loaded: boolean;
  rooms: RoomEntry[];
}

/**
 * The sections of the sidebar. Channels stand in the order of their names, so that the eye finds them where they were;
 * people stand by the time of their last message. An empty section is left out.
 */
export function sections(rooms: RoomEntry[]): RoomSection[] {
  const joined = rooms.filter((room) => room.membership === "join");
  const all: RoomSection[] = [
    {
      id: "invites",
      title: "Invites",
      rooms: rooms.filter((room) => room.membership === "invite").toSorted(byRecency),
    },
    { id: "channels", title: "Channels", rooms: joined.filter((room) => room.kind !== "direct").toSorted(byName) },
    {
      id: "direct",
      title: "Direct messages",
      rooms: joined.filter((room) => room.kind === "direct").toSorted(byRecency),
    },
  ];
  return all.filter((section) => section.rooms.length > 0);
}

/** The room above or below in the sidebar, for Alt+arrows; `unreadOnly` skips what has been read. Wraps around. */
export function neighbour(
  rooms: RoomEntry[],
  current: string | null,
  step: { by: 1 | -1; unreadOnly: boolean },
): string | null {
  const ids = sections(rooms)
    .flatMap((section) => section.rooms)
    .filter((room) => !step.unreadOnly || room.unread || room.id === current)
    .map((room) => room.id);
  if (ids.length === 0) return null;
  const at = current === null ? -1 : ids.indexOf(current);
  if (at === -1) return (step.by === 1 ? ids[0] : ids.at(-1)) ?? null;
  return ids[(at + step.by + ids.length) % ids.length] ?? null;
}

/** What the window title and the icon say: rooms with something to read, and messages that name the person. */
export function attention(rooms: RoomEntry[]): { unread: number; mentions: number } {
  const unmuted = rooms.filter((room) => !room.muted);
  return {
    unread: unmuted.filter((room) => room.unread || room.membership === "invite").length,
    mentions: unmuted.reduce((sum, room) => sum + room.count, 0),
  };
}

function byName(a: RoomEntry, b: RoomEntry): number {
  return a.name.localeCompare(b.name, undefined, { numeric: true, sensitivity: "base" });
}

function byRecency(a: RoomEntry, b: RoomEntry): number {
  return b.lastActive_ms - a.lastActive_ms || byName(a, b);
}
