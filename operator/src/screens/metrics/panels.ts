/** Which series stand together in one chart. A series that the server has and no panel names gets a panel of its own. */

export interface Panel {
  title: string;
  unit: string;
  series: readonly string[];
}

export interface Series {
  series: string;
  title: string;
  unit: string;
  values: (number | null)[];
}

const grouped: readonly { title: string; series: readonly string[] }[] = [
  { title: "Delivery", series: ["delivery_p50", "delivery_p95", "delivery_p99"] },
  { title: "Messages an hour", series: ["messages_per_hour"] },
  { title: "Connections of clients", series: ["sockets", "syncs_waiting"] },
  { title: "New WebSockets a minute", series: ["connects"] },
  { title: "Requests a minute", series: ["requests"] },
  {
    title: "Refused and failed requests a minute",
    series: ["errors_400", "errors_401", "errors_403", "errors_404", "errors_429", "errors_4xx", "errors_5xx"],
  },
  { title: "People", series: ["active_day", "active_month", "online"] },
  { title: "Database", series: ["database_connections", "database_waiting"] },
  { title: "Appending to the log", series: ["append_ms"] },
  { title: "Queue", series: ["queue_waiting", "dead_letters", "failed_jobs"] },
  { title: "Storage", series: ["storage_bytes", "database_bytes"] },
];

/** The panels for what the server answered, in their order. */
export function panelsOf(items: readonly Series[]): Panel[] {
  const byName = new Map(items.map((item) => [item.series, item]));
  const named = grouped.flatMap(({ title, series }) => {
    const here = series.filter((name) => byName.has(name));
    const unit = byName.get(here[0] ?? "")?.unit;
    return unit === undefined ? [] : [{ title, unit, series: here }];
  });
  const placed = new Set(named.flatMap(({ series }) => series));
  const others = items.filter(({ series }) => !placed.has(series));
  return [...named, ...others.map(({ series, title, unit }) => ({ title, unit, series: [series] }))];
}
