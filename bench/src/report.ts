import { countFailures } from "./meter.ts";
import { REFERENCE } from "./reference.ts";
import type { Goal, Result, Row, Run, Unit } from "./result.ts";

/** The whole result as Markdown: where it was measured, the table, and the notes below it. */
export function toMarkdown(result: Result): string {
  return [header(result), table(COLUMNS, result.rows.map(cells)), notes(result)].join("\n\n") + "\n";
}

/**
 * Ratios of a result to an earlier one, for each scenario that both measured. Above 1 the number
 * has grown, which is good for a rate and bad for a time or memory.
 */
export function compareMarkdown(result: Result, earlier: Result): string {
  const rows = result.rows.flatMap((row) => {
    const before = earlier.rows.find(({ name }) => name === row.name);
    return before?.median === undefined || row.median === undefined ? [] : [ratios(row, row.median, before.median)];
  });
  const title = `Against ${nameOf(earlier)} of ${earlier.date}:`;
  return `${title}\n\n${table(["Scenario", "before", "now", "ratio", "p50", "p99"], rows)}\n`;
}

const COLUMNS = [
  "Scenario",
  "median",
  "p50 ms",
  "p99 ms",
  "max ms",
  "count",
  "failed",
  "CPU %: client / server / PostgreSQL / rest",
  "goal",
  "verdict",
  REFERENCE.name,
];

function header(result: Result): string {
  const { machine, settings } = result;
  const facts: [string, string][] = [
    ["Target", `${nameOf(result)} at ${result.target.url}`],
    ["Date", result.date],
    ["Machine", `${machine.cpu}, ${machine.cores} cores, ${machine.memory_GiB.toFixed(1)} GiB, ${machine.system}`],
    ["Client", `Node ${result.node}, on the same machine where CPU of the server is shown`],
    ["PostgreSQL", result.postgres ?? "not in sight"],
    [
      "Windows",
      `${settings.runs} of ${settings.seconds} s after ${settings.warmup} s of warm-up; ${settings.rooms} rooms; ` +
        `${settings.deliverySenders} sends in flight for deliveries`,
    ],
  ];
  if (result.memory_MB !== undefined) {
    const { idle, start, end } = result.memory_MB;
    facts.push([
      "Server's memory",
      `${number(idle)} MB idle, ${number(start)} MB with the users registered, ${number(end)} MB after the last scenario`,
    ]);
  }
  return facts.map(([name, value]) => `- ${name}: ${value}`).join("\n");
}

function nameOf({ label, target }: Result): string {
  return label === undefined ? target.name : `${label} (${target.name})`;
}

function cells(row: Row): string[] {
  const { median: run, goals, verdict } = row;
  const reference = REFERENCE.numbers.get(row.name) ?? "";
  const goal = goals.map((one) => goalText(one, row.unit)).join(", ");
  if (run === undefined) return [row.title, "", "", "", "", "", "", "", goal, verdict, reference];
  return [
    row.title,
    `${number(run.value)} ${row.unit}`,
    time(run.p50_ms),
    time(run.p99_ms),
    time(run.max_ms),
    number(run.count),
    number(countFailures(run.failures)),
    shares(run),
    goal,
    verdict,
    reference,
  ];
}

function shares({ cpu }: Run): string {
  const parts = [cpu.client_percent, cpu.server_percent, cpu.postgres_percent, cpu.rest_percent];
  return parts.map((part) => (part === undefined ? "–" : part.toFixed(0))).join(" / ");
}

function goalText(goal: Goal, unit: Unit): string {
  const field = { value: "", p50_ms: "p50 ", p99_ms: "p99 " }[goal.of];
  const boundUnit = goal.of === "value" ? unit : "ms";
  return "below" in goal
    ? `${field}< ${number(goal.below)} ${boundUnit}`
    : `${field}≥ ${number(goal.atLeast)} ${boundUnit}`;
}

/** The busiest that the client's event loop may be before its own limit shows in the numbers. */
const CLIENT_LOOP_LIMIT_PERCENT = 80;

function notes({ rows }: Result): string {
  const lines = rows.flatMap((row) => [...row.notes, ...runNotes(row)].map((text) => `- ${row.title}: ${text}.`));
  const sources = [
    "The row shows the run in the middle by its first number; its count, times and CPU are of that run.",
    "CPU is in percent of one core; `rest` is everything else that ran, the kernel's network work included.",
    `${REFERENCE.name}: ${REFERENCE.source}.`,
  ];
  return [...lines, ...sources.map((text) => `- ${text}`)].join("\n");
}

function runNotes({ runs, unit, median }: Row): string[] {
  const found: string[] = [];
  if (runs.length > 1) found.push(`runs: ${runs.map(({ value }) => number(value)).join(", ")} ${unit}`);
  const failures = Object.entries(median?.failures ?? {});
  if (failures.length > 0)
    found.push(`failed: ${failures.map(([reason, count]) => `${reason} ${count} times`).join(", ")}`);
  const loop_percent = median?.cpu.clientLoop_percent ?? 0;
  if (loop_percent > CLIENT_LOOP_LIMIT_PERCENT) {
    found.push(`the client's own event loop was ${loop_percent.toFixed(0)} % busy, so the client may be the limit`);
  }
  return found;
}

function ratios(row: Row, now: Run, before: Run): string[] {
  return [
    row.title,
    `${number(before.value)} ${row.unit}`,
    `${number(now.value)} ${row.unit}`,
    ratio(now.value, before.value),
    ratio(now.p50_ms, before.p50_ms),
    ratio(now.p99_ms, before.p99_ms),
  ];
}

function ratio(now: number | undefined, before: number | undefined): string {
  return now === undefined || before === undefined || before === 0 ? "" : `${(now / before).toFixed(2)} ×`;
}

function table(columns: readonly string[], rows: readonly string[][]): string {
  const line = (texts: readonly string[]) => `| ${texts.join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}

function number(value: number): string {
  const maximumFractionDigits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return value.toLocaleString("en-US", { maximumFractionDigits });
}

function time(value_ms: number | undefined): string {
  return value_ms === undefined ? "" : number(value_ms);
}
