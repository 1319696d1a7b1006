/** Bots, webhooks and application services as the operator API tells of them (server/src/bots/, server/src/appservice/). */
export interface Bot {
  user_id: string;
  display_name: string | null;
  owner: string;
  owner_active: boolean;
  purpose: string | null;
  status: string;
  created_by: string;
  created_ts: number;
  tokens: number;
  oldest_token_ts: number | null;
  last_used_ts: number | null;
  channels: number;
}

export interface BotToken {
  token_id: string;
  name: string | null;
  scopes: string[];
  created_ts: number;
  rotated_ts: number;
  last_used_ts: number | null;
  last_used_address: string | null;
  expires_ts: number | null;
  overlap_until_ts: number | null;
}

export interface BotDetail extends Bot {
  token_list: BotToken[];
  channel_list: { room_id: string; name: string | null; encrypted: boolean }[];
}

export interface Webhook {
  webhook_id: string;
  name: string;
  bot: string;
  room_id: string;
  enabled: boolean;
  created_by: string;
  created_ts: number;
  rolled_ts: number;
  overlap_until_ts: number | null;
}

export interface Delivery {
  delivery_id: number;
  at_ts: number;
  address: string;
  status: number;
  idempotency_key: string | null;
  event_id: string | null;
  error: string | null;
  took_ms: number;
  size_bytes: number;
  headers: Record<string, string>;
  headers_left_out: number | null;
}

export interface Service {
  id: string;
  url: string | null;
  sender: string;
  state: "idle" | "sending" | "failing" | "silent";
  position: number | null;
  backlog: number | null;
  transactions: number | null;
  waiting_bytes: number | null;
  sent_ts: number | null;
  failures: number;
  failing_since_ts: number | null;
  retry_ts: number | null;
  error: string | null;
}

type Namespaces = { regex: string; exclusive: boolean }[];

export interface Registration extends Service {
  namespaces: { users: Namespaces; aliases: Namespaces; rooms: Namespaces };
  protocols: string[];
  rate_limited: boolean;
  takes_ephemeral: boolean;
  takes_encryption: boolean;
}
