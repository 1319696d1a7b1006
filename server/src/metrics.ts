/** What the server counts. Labels are few and their values bounded: a route's pattern, never a user or a room. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

export interface Metrics {
  registry: Registry;
  /** Seconds from the request's arrival to the end of its answer, by route pattern and status. */
  http: Histogram<"method" | "route" | "status">;
  /** Entries in each append. */
  appendEntries: Histogram;
  /** Seconds of each append, from its call to its commit. */
  append_s: Histogram;
  /** Submissions that were refused because the room had changed since they were authorised. */
  staleSubmissions: Counter;
  /** Database queries that brought the tail up to the head; zero while one process serves all. */
  tailFetches: Counter;
  /** Sync requests that are waiting for news. */
  syncWaiting: Gauge;
  /** Incremental syncs, by whether memory had all they needed. */
  syncs: Counter<"from">;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
  return {
    registry,
    http: new Histogram({
      name: "parley_http_request_duration_seconds",
      help: "Time to answer a request",
      labelNames: ["method", "route", "status"],
      buckets: seconds,
      registers,
    }),
    appendEntries: new Histogram({
      name: "parley_log_append_entries",
      help: "Entries in one append",
      buckets: [1, 2, 5, 10, 20, 50, 100, 200],
      registers,
    }),
    append_s: new Histogram({
      name: "parley_log_append_duration_seconds",
      help: "Time of one append",
      buckets: seconds,
      registers,
    }),
    staleSubmissions: new Counter({
      name: "parley_log_stale_submissions_total",
      help: "Submissions refused because the room had changed, and checked again",
      registers,
    }),
    tailFetches: new Counter({
      name: "parley_log_tail_fetches_total",
      help: "Queries that brought the tail up to the head",
      registers,
    }),
    syncWaiting: new Gauge({ name: "parley_sync_waiting", help: "Sync requests waiting for news", registers }),
    syncs: new Counter({ name: "parley_syncs_total", help: "Sync answers", labelNames: ["from"], registers }),
  };
}
