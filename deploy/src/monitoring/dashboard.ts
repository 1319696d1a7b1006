/** The dashboard for Grafana, as data: the promises on top, then the way of a message from its request to its readers. */
import { objectives } from "./objectives.ts";

interface Panel {
  title: string;
  description: string;
  unit: "s" | "percentunit" | "short" | "reqps" | "bytes";
  /** PromQL, each with its legend. */
  queries: readonly (readonly [expr: string, legend: string])[];
  /** Above it the panel is red. */
  most?: number;
  kind?: "timeseries" | "stat";
}

interface Row {
  title: string;
  panels: readonly Panel[];
}

const quantile = (q: number, metric: string, by = "") =>
  `histogram_quantile(${q}, sum by (${["le", by].filter(Boolean).join(", ")}) (rate(${metric}_bucket{namespace=~"$namespace"}[$__rate_interval])))`;
const rate = (metric: string, by: string, labels = "") =>
  `sum by (${by}) (rate(${metric}{namespace=~"$namespace"${labels}}[$__rate_interval]))`;
const gauge = (metric: string, by: string) => `sum by (${by}) (${metric}{namespace=~"$namespace"})`;
const times = (metric: string, by = "") =>
  [0.5, 0.99].map((q) => [quantile(q, metric, by), `p${q * 100}${by ? ` {{${by}}}` : ""}`] as const);

export const rows: readonly Row[] = [
  {
    title: "Promises",
    panels: objectives.map(({ name, promise, target }) => ({
      title: `Not so: ${name}`,
      description: promise,
      unit: "percentunit",
      kind: "stat",
      most: 1 - target,
      queries: [[`parley:${name}:bad_ratio_6h`, "last 6 h"]],
    })),
  },
  {
    title: "From request to readers",
    panels: [
      {
        title: "Requests",
        description: "Answered requests a second, by status.",
        unit: "reqps",
        queries: [[rate("parley_http_request_duration_seconds_count", "status"), "{{status}}"]],
      },
      {
        title: "Time to answer a send",
        description: "From the request's arrival to the end of its answer, which comes after the commit.",
        unit: "s",
        queries: [0.5, 0.99].map((q) => [
          `histogram_quantile(${q}, sum by (le) (rate(parley_http_request_duration_seconds_bucket{namespace=~"$namespace",route=~".*/send/.*"}[$__rate_interval])))`,
          `p${q * 100}`,
        ]),
      },
      {
        title: "Time of an append",
        description: "One call of the log's function in PostgreSQL, with its commit.",
        unit: "s",
        queries: times("parley_log_append_duration_seconds"),
      },
      {
        title: "Entries in an append",
        description: "How many sends share a commit.",
        unit: "short",
        queries: times("parley_log_append_entries"),
      },
      {
        title: "Delivery",
        description: "From an event's acceptance until connected clients of a gateway were told.",
        unit: "s",
        queries: times("parley_delivery_duration_seconds", "via"),
      },
      {
        title: "Behind the log",
        description: "Entries that a process has not heard of yet.",
        unit: "short",
        most: 1_000,
        queries: [[gauge("parley_log_lag_entries", "pod"), "{{pod}}"]],
      },
    ],
  },
  {
    title: "Connections",
    panels: [
      {
        title: "Streams",
        description: "WebSockets that are signed in, by gateway.",
        unit: "short",
        queries: [[gauge("parley_streams", "pod"), "{{pod}}"]],
      },
      {
        title: "Waiting syncs",
        description: "Long polls that wait for news.",
        unit: "short",
        queries: [[gauge("parley_sync_waiting", "pod"), "{{pod}}"]],
      },
      {
        title: "Frames",
        description: "Frames with news: made once for a whole room, or for one client.",
        unit: "short",
        queries: [[rate("parley_stream_frames_total", "made"), "{{made}}"]],
      },
      {
        title: "Told anew",
        description: "Slow clients whose frames were dropped.",
        unit: "short",
        queries: [[rate("parley_stream_resyncs_total", "pod"), "{{pod}}"]],
      },
      {
        title: "What devices could read",
        description: "Encrypted messages by what clients say became of them.",
        unit: "short",
        queries: [[rate("parley_client_decryptions_total", "outcome"), "{{outcome}}"]],
      },
    ],
  },
  {
    title: "Between processes",
    panels: [
      {
        title: "Bus",
        description: "Messages of other processes, by topic.",
        unit: "short",
        queries: [[rate("parley_bus_received_total", "topic"), "{{topic}}"]],
      },
      {
        title: "Bus is connected",
        description: "1 while what a process says on the bus comes back.",
        unit: "short",
        queries: [[`min by (pod) (parley_bus_connected{namespace=~"$namespace"})`, "{{pod}}"]],
      },
      {
        title: "Queries for the tail",
        description: "Times that a process read what hints had not brought.",
        unit: "short",
        queries: [[rate("parley_log_tail_fetches_total", "pod"), "{{pod}}"]],
      },
      {
        title: "Queues",
        description: "Messages that wait for a worker, and dead ones.",
        unit: "short",
        queries: [[`max by (queue, state) (parley_queue_depth{namespace=~"$namespace"})`, "{{queue}} {{state}}"]],
      },
      {
        title: "Handed on",
        description: "Requests that gateways handed to other roles.",
        unit: "reqps",
        queries: [[rate("parley_proxied_requests_total", "role, outcome"), "{{role}} {{outcome}}"]],
      },
    ],
  },
  {
    title: "Processes",
    panels: [
      {
        title: "CPU",
        description: "Cores.",
        unit: "short",
        queries: [[rate("process_cpu_seconds_total", "pod"), "{{pod}}"]],
      },
      {
        title: "Memory",
        description: "Resident.",
        unit: "bytes",
        queries: [[gauge("process_resident_memory_bytes", "pod"), "{{pod}}"]],
      },
      {
        title: "Waiting for a turn",
        description: "The 99th percentile of the event loop's delay.",
        unit: "s",
        most: 0.1,
        queries: [[`max by (pod) (nodejs_eventloop_lag_p99_seconds{namespace=~"$namespace"})`, "{{pod}}"]],
      },
    ],
  },
];

const WIDTH = 24;
const PANEL = { w: 8, h: 8 };
const datasource = { type: "prometheus", uid: "${datasource}" };

/** The dashboard as Grafana imports it. */
export function dashboard(): object {
  const panels: object[] = [];
  let y = 0;
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: "row",
      title: row.title,
      gridPos: { x: 0, y, w: WIDTH, h: 1 },
      panels: [],
    });
    y += 1;
    for (const [i, panel] of row.panels.entries()) {
      const place = { x: (i * PANEL.w) % WIDTH, y: y + Math.floor((i * PANEL.w) / WIDTH) * PANEL.h };
      panels.push({ id: panels.length + 1, ...drawn(panel), gridPos: { ...place, ...PANEL } });
    }
    y += Math.ceil((row.panels.length * PANEL.w) / WIDTH) * PANEL.h;
  }
  return {
    uid: "parley",
    title: "Parley",
    tags: ["parley"],
    schemaVersion: 39,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    templating: { list: variables },
    panels,
  };
}

const variables = [
  { name: "datasource", type: "datasource", query: "prometheus", label: "Data source" },
  {
    name: "namespace",
    type: "query",
    label: "Namespace",
    datasource,
    query: "label_values(parley_log_lag_entries, namespace)",
    includeAll: true,
    allValue: ".*",
    multi: true,
    refresh: 2,
  },
];

function drawn({ title, description, unit, queries, most, kind = "timeseries" }: Panel): object {
  const steps = [{ color: "green", value: null }, ...(most === undefined ? [] : [{ color: "red", value: most }])];
  return {
    type: kind,
    title,
    description,
    datasource,
    fieldConfig: { defaults: { unit, min: 0, thresholds: { mode: "absolute", steps } }, overrides: [] },
    targets: queries.map(([expr, legendFormat], i) => ({
      refId: String.fromCharCode(65 + i),
      datasource,
      expr,
      legendFormat,
    })),
  };
}
