/** An entry of the audit log as the operator API tells of it (server/src/console/audit/entries.ts). */
export interface Entry {
  position: number;
  time_ts: number;
  actor: string;
  via: "browser" | "token" | "shell" | "job" | "scim";
  address: string;
  device: string | null;
  action: string;
  target: string | null;
  reason: string | null;
  before: unknown;
  after: unknown;
  outcome: "done" | "denied" | "failed" | "begun";
  error: string | null;
  begun: number | null;
  hash: string;
}

export interface Verification {
  ok: boolean;
  verified_to: number;
  hash: string;
  problem: { position: number; message: string } | null;
}
