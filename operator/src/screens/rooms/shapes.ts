/** Rooms as the operator API tells of them (server/src/rooms/operations.ts). */
export interface Room {
  room_id: string;
  name: string | null;
  canonical_alias: string | null;
  type: string | null;
  version: string;
  members: number;
  encrypted: boolean;
  join_rule: string;
  creator: string | null;
  last_activity_ts: number | null;
  events: number;
  state_events: number;
  blocked: boolean;
}

export interface RoomDetail extends Room {
  topic: string | null;
  history_visibility: string;
  guest_access: string;
  encryption_algorithm: string | null;
  aliases: string[];
  published: boolean;
  invited: number;
  power_levels: { users: Record<string, number>; users_default: number };
  creators: string[];
  parents: string[];
  children: string[];
  messages: number;
  retention: { max_lifetime_ms: number | null; min_lifetime_ms: number | null } | null;
}

export interface Member {
  user_id: string;
  membership: string;
  power_level: number | null;
  display_name: string | null;
  since_ts: number;
}

export interface RoomEffect {
  members: number;
  invited: number;
  events: number;
  messages: number;
  receipts: number;
  aliases: number;
  published: boolean;
  blocked: boolean;
  held: boolean;
}

/** What a room is called here: its name, its alias, or its id. */
export function nameOf({ name, canonical_alias, room_id }: Pick<Room, "name" | "canonical_alias" | "room_id">): string {
  return name ?? canonical_alias ?? room_id;
}
