/** People as the operator API tells of them (server/src/console/users/). */
import type { Role } from "../../session.ts";

export interface User {
  user_id: string;
  display_name: string | null;
  emails: string[];
  role: Role | null;
  status: "active" | "suspended" | "read_only" | "deactivated";
  source: string;
  devices: number;
  last_seen_ts: number | null;
  created_ts: number;
}

export interface UserDetail extends User {
  suspended_ts: number | null;
  deactivated_ts: number | null;
  has_password: boolean;
  passkeys: number;
  /** Whether a code is asked for after the password. */
  has_second_factor: boolean;
  /** Which policies of the server the person accepted when the account was made. */
  accepted_policies: { policy_id: string; version: string; accepted_ts: number }[];
}

/** What a transfer of somebody's rooms would do (server/src/rooms/operations-transfer.ts). */
export interface TransferEffect {
  rooms: number;
  sole: number;
  direct: number;
  replaced: number;
  already: number;
  change: number;
  invite: number;
  refused: number;
  refused_rooms: { room_id: string; why: string }[];
  /** Whether the successor is who asks. */
  to_self: boolean;
  is_complete: boolean;
}
