/** How long things are kept, as the operator API tells of it (server/src/retention/). */
export interface Policy {
  max_lifetime_ms: number | null;
  room_least_ms: number | null;
  room_most_ms: number | null;
  media_lifetime_ms: number | null;
}

export interface StoredPolicy extends Policy {
  enabled: boolean;
  changed_ts: number | null;
  changed_by: string | null;
}

export interface Simulation {
  messages: number;
  rooms: number;
  oldest_ts: number | null;
  files: number;
  bytes: number;
  largest: { room_id: string; messages: number; oldest_ts: number; lifetime_ms: number; source: string }[];
}

export interface Hold {
  hold_id: number;
  room_id: string | null;
  user_id: string | null;
  reason: string;
  placed_ts: number;
  placed_by: string;
  released_ts: number | null;
  released_by: string | null;
}

export interface LegalAccess {
  access_id: number;
  room_id: string | null;
  user_id: string | null;
  holder: string;
  case_reference: string;
  reason: string;
  granted_ts: number;
  granted_by: string;
  ends_ts: number;
  ended_ts: number | null;
  ended_by: string | null;
  in_force: boolean;
}

export interface LegalExport {
  export_id: number;
  state: "making" | "ready" | "failed";
  created_ts: number;
  records: number;
  fetches: { fetched_ts: number; fetched_by: string }[];
}

export interface RoomPolicy {
  room_id: string;
  max_lifetime_ms: number | null;
  changed_ts: number;
  changed_by: string;
}

const DAY_MS = 86_400_000;

/** `365 days`; without a number it is for ever. */
export function daysOf(length_ms: number | null): string {
  if (length_ms === null) return "For ever";
  const days = length_ms / DAY_MS;
  return `${Number.isInteger(days) ? days : days.toFixed(1)} ${days === 1 ? "day" : "days"}`;
}

/** What was typed as days, in milliseconds; nothing is for ever. */
export function lengthIn(days: string | undefined): number | null {
  return days === undefined || days.trim() === "" ? null : Math.round(Number(days) * DAY_MS);
}

/** A length as it is typed. */
export function typedDays(length_ms: number | null): string {
  return length_ms === null ? "" : String(length_ms / DAY_MS);
}
