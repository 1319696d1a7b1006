import type { CpuShares } from "./probe.ts";

// The raw result, as `--json` writes it and `--compare` reads it.

/** One measured window. */
export interface Run {
  /** The scenario's number, in its unit. */
  value: number;
  p50_ms?: number;
  p99_ms?: number;
  max_ms?: number;
  /** How many single things were measured. */
  count: number;
  seconds: number;
  /** What failed, by reason. */
  failures: Record<string, number>;
  cpu: CpuShares;
}

export type Unit = "sends/s" | "deliveries/s" | "joins/s" | "entries/s" | "s" | "ms" | "MB" | "kB" | "MB/h" | "×";

/** One demand on a scenario: a field of its median run and a bound. Bounds on rates are met when reached. */
export type Goal =
  | { of: "value" | "p50_ms" | "p99_ms"; atLeast: number }
  | { of: "value" | "p50_ms" | "p99_ms"; below: number };

export type Verdict = "met" | "missed" | "no goal" | "not measured";

export interface Row {
  name: string;
  title: string;
  unit: Unit;
  goals: Goal[];
  verdict: Verdict;
  /** Empty when the scenario was not measured. */
  runs: Run[];
  /** The run in the middle by value. */
  median?: Run;
  /** Facts beside the numbers: what was missing, bytes, the reason for no measurement. */
  notes: string[];
  /** Whether the scenario broke down, as opposed to not being possible on this target. */
  broken?: boolean;
}

export interface Result {
  label?: string;
  target: { name: string; url: string };
  date: string;
  machine: { cpu: string; cores: number; memory_GiB: number; system: string };
  node: string;
  postgres?: string;
  settings: { seconds: number; warmup: number; runs: number; rooms: number; deliverySenders: number };
  /** Resident memory of the server before anything, once the users are registered, and after the last scenario. */
  memory_MB?: { idle: number; start: number; end: number };
  rows: Row[];
}

/** The verdict on a measured run: missed as soon as one goal is; a goal on what was not measured is missed. */
export function judge(goals: readonly Goal[], run: Run): Verdict {
  if (goals.length === 0) return "no goal";
  return goals.every((goal) => isMet(goal, run)) ? "met" : "missed";
}

function isMet(goal: Goal, run: Run): boolean {
  const value = run[goal.of];
  if (value === undefined) return false;
  return "below" in goal ? value < goal.below : value >= goal.atLeast;
}
