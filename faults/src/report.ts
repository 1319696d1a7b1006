// The table of a run, for people and as JSON.

import type { Outcome } from "./schedule.ts";

export type Row = {
  fault: string;
  schedules: number;
  acknowledged: number;
  lost: number;
  doubled: number;
  reordered: number;
  misread: number;
  crashed: number;
  /** Schedules that did not come to their end. */
  stuck: number;
  recovery_p50_ms: number | undefined;
  recovery_p99_ms: number | undefined;
};

/** A row for each fault, and one for all. */
export function tableOf(outcomes: readonly Outcome[]): Row[] {
  const groups = Map.groupBy(outcomes, ({ faults }) => faults[0] as string);
  return [...[...groups].map(([fault, each]) => rowOf(fault, each)), rowOf("all", outcomes)];
}

function rowOf(fault: string, outcomes: readonly Outcome[]): Row {
  const count = (of: (outcome: Outcome) => number) => outcomes.reduce((sum, outcome) => sum + of(outcome), 0);
  const recoveries = outcomes.flatMap(({ recovery_ms }) => recovery_ms ?? []).toSorted((a, b) => a - b);
  return {
    fault,
    schedules: outcomes.length,
    acknowledged: count((each) => each.acknowledged),
    lost: count((each) => each.lost.length),
    doubled: count((each) => each.doubled.length),
    reordered: count((each) => each.reordered.length),
    misread: count((each) => each.misread.length),
    crashed: count((each) => each.crashed.length),
    stuck: count((each) => (each.stuck === undefined ? 0 : 1)),
    recovery_p50_ms: quantile(recoveries, 0.5),
    recovery_p99_ms: quantile(recoveries, 0.99),
  };
}

/** The smallest value that so large a part is not above. */
function quantile(sorted: readonly number[], part: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)];
}

const HEADINGS = [
  "fault",
  "schedules",
  "acknowledged",
  "lost",
  "duplicated",
  "reordered",
  "misread",
  "crashed",
  "stuck",
  "recovery p50",
  "recovery p99",
];

/** The table in Markdown. */
export function render(rows: readonly Row[]): string {
  const seconds = (ms: number | undefined) => (ms === undefined ? "–" : `${(ms / 1_000).toFixed(2)} s`);
  const lines = rows.map((row) => [
    row.fault,
    ...[row.schedules, row.acknowledged, row.lost, row.doubled, row.reordered].map(String),
    ...[row.misread, row.crashed, row.stuck].map(String),
    seconds(row.recovery_p50_ms),
    seconds(row.recovery_p99_ms),
  ]);
  const rule = HEADINGS.map((_, i) => (i === 0 ? "---" : "---:"));
  return [HEADINGS, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** What is wrong with a schedule, in lines; none where nothing is. */
export function complaints(outcome: Outcome): string[] {
  const { seed, faults, lost, doubled, reordered, misread, crashed, stuck } = outcome;
  const ended = [...(stuck === undefined ? [] : [`stuck: ${stuck}`]), ...crashed];
  const all = [...ended, ...lost, ...doubled, ...reordered, ...misread];
  if (all.length === 0) return [];
  return [
    `seed ${seed} (${faults.join(", ")}): ${all.length} violations`,
    ...all.slice(0, 20).map((line) => `  ${line}`),
  ];
}
