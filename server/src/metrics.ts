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
  /** Seconds from an event's acceptance until clients of this process were told. */
  delivery_s: Histogram<"via">;
  /** Events of encrypted rooms, as clients report what became of them: see docs/operations/observability.md. */
  decryptions: Counter<"outcome">;
  /** How far this process is behind the head of the log, in entries, when it last looked. */
  logLag: Gauge;
  /** How far the search index is behind the head of the log, in entries, as the worker that keeps it last saw. */
  searchLag: Gauge;
  /** Whether the bus carries messages to other processes and back: 1 or 0. The memory of a process always does. */
  busConnected: Gauge;
  busPublished: Counter<"topic">;
  /** Messages of other processes. */
  busReceived: Counter<"topic">;
  /** Messages that found no connection, no room or no end. */
  busDropped: Counter;
  /** Packets on our channel of the broker that were not sealed by this Parley. */
  busForeign: Counter;
  /** Statements that read history, by whether a replica of the database or the primary answered them. */
  historyReads: Counter<"from">;
  /** Sync requests that are waiting for news. */
  syncWaiting: Gauge;
  /** Streams that are signed in. */
  streams: Gauge;
  /** Streams that signed in. */
  streamConnects: Counter;
  /** Frames with news: made once for a whole room, or for one client. */
  streamFrames: Counter<"made">;
  /** Times that what was kept for a slow client was dropped, and it was told anew from where it stood. */
  streamResyncs: Counter;
  /** Sends over streams, by what became of them. */
  streamSends: Counter<"outcome">;
  /** Seconds that one round of the stream took. */
  streamTick_s: Histogram;
  /** Incremental syncs, by whether memory had all they needed. */
  syncs: Counter<"from">;
  /** Requests that the gateway handed on: answered, answered by another process than the first, or abandoned half-way. */
  proxied: Counter<"role" | "outcome">;
}

function busMetrics(registers: Registry[]) {
  return {
    busConnected: new Gauge({ name: "parley_bus_connected", help: "Whether the bus carries messages", registers }),
    busPublished: new Counter({
      name: "parley_bus_published_total",
      help: "Messages handed to the bus",
      labelNames: ["topic"],
      registers,
    }),
    busReceived: new Counter({
      name: "parley_bus_received_total",
      help: "Messages of other processes",
      labelNames: ["topic"],
      registers,
    }),
    busDropped: new Counter({ name: "parley_bus_dropped_total", help: "Messages that were not sent", registers }),
    busForeign: new Counter({
      name: "parley_bus_foreign_total",
      help: "Packets that are not of this Parley",
      registers,
    }),
  };
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    http: new Histogram({
      name: "parley_http_request_duration_seconds",
      help: "Time to answer a request",
      labelNames: ["method", "route", "status"],
      buckets: SECONDS,
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
      buckets: SECONDS,
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
    ...busMetrics(registers),
    historyReads: new Counter({
      name: "parley_history_reads_total",
      help: "Statements that read history",
      labelNames: ["from"],
      registers,
    }),
    syncWaiting: new Gauge({ name: "parley_sync_waiting", help: "Sync requests waiting for news", registers }),
    ...deliveryMetrics(registers),
    ...streamMetrics(registers),
    syncs: new Counter({ name: "parley_syncs_total", help: "Sync answers", labelNames: ["from"], registers }),
    proxied: new Counter({
      name: "parley_proxied_requests_total",
      help: "Requests that the gateway handed on to other roles",
      labelNames: ["role", "outcome"],
      registers,
    }),
  };
}

function deliveryMetrics(registers: Registry[]) {
  return {
    delivery_s: new Histogram({
      name: "parley_delivery_duration_seconds",
      help: "Time from an event's acceptance until clients were told",
      labelNames: ["via"],
      buckets: SECONDS,
      registers,
    }),
    decryptions: new Counter({
      name: "parley_client_decryptions_total",
      help: "Encrypted events, by what clients say became of them",
      labelNames: ["outcome"],
      registers,
    }),
    logLag: new Gauge({
      name: "parley_log_lag_entries",
      help: "How far this process is behind the head of the log",
      registers,
    }),
    searchLag: new Gauge({
      name: "parley_search_lag_entries",
      help: "How far the search index is behind the head of the log",
      registers,
    }),
  };
}

function streamMetrics(registers: Registry[]) {
  return {
    streams: new Gauge({ name: "parley_streams", help: "Streams that are signed in", registers }),
    streamConnects: new Counter({ name: "parley_stream_connects_total", help: "Streams that signed in", registers }),
    streamFrames: new Counter({
      name: "parley_stream_frames_total",
      help: "Frames with news that streams were sent",
      labelNames: ["made"],
      registers,
    }),
    streamResyncs: new Counter({
      name: "parley_stream_resyncs_total",
      help: "Times that a slow client's frames were dropped and told anew",
      registers,
    }),
    streamSends: new Counter({
      name: "parley_stream_sends_total",
      help: "Sends over streams",
      labelNames: ["outcome"],
      registers,
    }),
    streamTick_s: new Histogram({
      name: "parley_stream_tick_duration_seconds",
      help: "Time of one round of handing out news",
      buckets: SECONDS,
      registers,
    }),
  };
}
