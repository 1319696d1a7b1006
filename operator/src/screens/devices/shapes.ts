/** A device as the operator API tells of it (server/src/console/users/devices.ts). */
export interface Device {
  user_id: string;
  device_id: string;
  display_name: string | null;
  verified: boolean;
  bot: boolean;
  last_seen_ts: number;
  last_seen_ip: string | null;
  created_ts: number;
}
