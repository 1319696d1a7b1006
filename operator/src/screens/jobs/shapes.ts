/** Long acts as the operator API tells of them (server/src/worker/operations.ts). */
export interface Job {
  job_id: number;
  kind: string;
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  target: string | null;
  progress: Record<string, number>;
  events_removed: number;
  error: string | null;
  cancel_asked: boolean;
  created_by: string;
  created_ts: number;
  started_ts: number | null;
  ended_ts: number | null;
}
