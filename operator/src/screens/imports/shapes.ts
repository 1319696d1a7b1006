/** Imports as the operator API tells of them (server/src/imports/). */
export interface Report {
  dry_run: boolean;
  import_id: number | null;
  job_id: number | null;
  rows: number;
  creates: number;
  exists: number;
  problem_count: number;
  problems: { row: number; message: string }[];
}

export interface Import {
  import_id: number;
  kind: "people" | "channels";
  created_by: string;
  created_ts: number;
  job_id: number | null;
  rows: number;
  created: number;
  existed: number;
  failed: number;
}

export interface LogRow {
  row: number;
  name: string;
  outcome: "open" | "creating" | "created" | "exists" | "failed";
  result: string | null;
  detail: string | null;
}
