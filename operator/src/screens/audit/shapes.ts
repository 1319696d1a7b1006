/**
 * An entry of the audit log as the operator API tells of it (server/src/console/audit/entries.ts). What a newer release has written
 * has words of its own in `via` and `outcome`, which are shown as they are.
 */
export interface Entry {
  position: number;
  time_ts: number;
  actor: string;
  via: string;
  address: string;
  device: string | null;
  action: string;
  target: string | null;
  reason: string | null;
  before: unknown;
  after: unknown;
  outcome: string;
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
