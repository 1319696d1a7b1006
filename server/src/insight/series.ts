/** What is drawn: each series from the numbers of a step. Docs: docs/operations/insight.md. */
import { deliveryQuantile_ms, type Numbers } from "./numbers.ts";

export interface Series {
  title: string;
  unit:
    | "people"
    | "per hour"
    | "per minute"
    | "connections"
    | "bytes"
    | "ms"
    | "messages"
    | "share"
    | "processes"
    | "jobs";
  /** Counted once in a quarter of an hour: between, what was counted last is so. */
  isSlow?: boolean;
  /** The value for a step of so many seconds; null where nothing is known. */
  of(numbers: Numbers, step_s: number): number | null;
}

const gauge = (title: string, unit: Series["unit"], name: string): Series => ({
  title,
  unit,
  of: (numbers) => numbers[name] ?? null,
});

const slow = (title: string, unit: Series["unit"], name: string): Series => ({
  ...gauge(title, unit, name),
  isSlow: true,
});

const perMinute = (title: string, ...names: readonly string[]): Series => ({
  title,
  unit: "per minute",
  of: (numbers, step_s) => (sumOf(numbers, names) * 60) / step_s,
});

const delivery = (title: string, part: number): Series => ({
  title,
  unit: "ms",
  of: (numbers) => deliveryQuantile_ms(numbers, part),
});

function sumOf(numbers: Numbers, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + (numbers[name] ?? 0), 0);
}

export const allSeries = {
  active_day: slow("Active in the last 24 hours", "people", "active_day"),
  active_month: slow("Active in the last 30 days", "people", "active_month"),
  online: gauge("Online", "people", "online"),
  messages_per_hour: {
    title: "Messages",
    unit: "per hour",
    of: (numbers, step_s) => (sumOf(numbers, ["sends", "stream_sends"]) * 3_600) / step_s,
  },
  sockets: gauge("WebSockets", "connections", "streams"),
  syncs_waiting: gauge("Syncs that wait", "connections", "syncs_waiting"),
  connects: perMinute("New WebSockets", "connects"),
  requests: perMinute("Requests", "requests"),
  errors_400: perMinute("400 Bad request", "errors_400"),
  errors_401: perMinute("401 Not signed in", "errors_401"),
  errors_403: perMinute("403 Not allowed", "errors_403"),
  errors_404: perMinute("404 Not found", "errors_404"),
  errors_429: perMinute("429 Too many", "errors_429"),
  errors_4xx: perMinute("Other 4xx", "errors_4xx"),
  errors_5xx: perMinute("5xx Our failures", "errors_5xx"),
  delivery_p50: delivery("Delivery, half of all", 0.5),
  delivery_p95: delivery("Delivery, 95 % of all", 0.95),
  delivery_p99: delivery("Delivery, 99 % of all", 0.99),
  append_ms: {
    title: "Appending to the log, mean",
    unit: "ms",
    of: ({ append_n = 0, append_s = 0 }) => (append_n === 0 ? null : (append_s / append_n) * 1_000),
  },
  database_connections: gauge("Database connections", "connections", "db_connections"),
  database_waiting: gauge("Statements that wait for a connection", "connections", "db_waiting"),
  queue_waiting: gauge("Queue, waiting", "messages", "queue_waiting"),
  dead_letters: gauge("Queue, dead", "messages", "dead_letters"),
  failed_jobs: {
    title: "Failed jobs",
    unit: "jobs",
    of: ({ dead_letters, jobs_failed }) =>
      dead_letters === undefined && jobs_failed === undefined ? null : (dead_letters ?? 0) + (jobs_failed ?? 0),
  },
  storage_bytes: slow("Files", "bytes", "storage_bytes"),
  database_bytes: slow("Database", "bytes", "database_bytes"),
  decryption_success: {
    title: "Encrypted messages that clients could read",
    unit: "share",
    of: ({ decrypted = 0, undecryptable = 0 }) =>
      decrypted + undecryptable === 0 ? null : decrypted / (decrypted + undecryptable),
  },
  memory_bytes: gauge("Memory of the processes", "bytes", "memory_bytes"),
  processes: gauge("Processes", "processes", "processes"),
} as const satisfies Record<string, Series>;

export type SeriesName = keyof typeof allSeries;
export const seriesNames = Object.keys(allSeries) as SeriesName[];

const GAUGES = new Set([
  "active_day",
  "active_month",
  "accounts",
  "online",
  "queue_waiting",
  "dead_letters",
  "jobs_failed",
  "storage_bytes",
  "database_bytes",
  "processes",
  "streams",
  "syncs_waiting",
  "db_connections",
  "db_waiting",
  "memory_bytes",
  "pushers",
  "pushers_failing",
  "pushers_late",
]);

/** Whether the number is a growth, which adds up over time, and not a state. */
export function isCount(name: string): boolean {
  return !GAUGES.has(name);
}
