/** The installation as the operator API tells of it (server/src/system/operations*.ts). */
export interface Process {
  process: number;
  host: string;
  version: string;
  is_behind: boolean;
  roles: string[];
  bus: string;
  started_ts: number;
  seen_ts: number;
  position: number | null;
  behind_entries: number | null;
  clock_ahead_ms: number | null;
  connections: number | null;
}

export interface Migrations {
  version: string;
  items: { schema: string; has: number; needs: number; compatible_since: number; missing: string[] }[];
}

export interface Setting {
  name: string;
  value: string | null;
  is_secret: boolean;
  from: "environment" | "alias" | "default";
  doc: string;
}

export interface Run {
  run_id: number;
  started_ts: number;
  ended_ts: number | null;
  ok: boolean | null;
  detail: Record<string, unknown>;
}

export interface Backups {
  last_backup: Run | null;
  last_drill: Run | null;
  items: (Run & { kind: string })[];
}

export interface Licence {
  name: string;
  version: string;
  licence: string;
}

export interface Queues {
  adapter: string;
  handles_dead: boolean;
  items: { queue: string; waiting: number; dead: number }[];
}

export interface Letter {
  letter_id: number;
  queue: string;
  attempts: number;
  reason: string;
  died_ts: number;
  size_bytes: number;
}

export interface Maintenance {
  on: boolean;
  message: string | null;
  since_ts: number | null;
  retry_after_s: number | null;
  set_by: string | null;
}

export interface Examination {
  run_id: number;
  state: "running" | "done" | "lost";
  started_ts: number;
  ended_ts: number | null;
  slow: boolean;
  by: string;
  findings: { check: string; state: "ok" | "warning" | "failure"; says: string; fix?: string }[];
}
