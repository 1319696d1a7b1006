import { useMemo } from "react";
import { Button } from "../../../../web/src/ui/Button.tsx";
import { Screen } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import { withFilter } from "../../model/search.ts";
import { exactTime } from "../../model/time.ts";
import { useAddress } from "../../model/useSearch.ts";
import { Chart } from "../../parts/Chart.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { valueIn } from "../../parts/units.ts";
import { SimpleTable } from "../../table/SimpleTable.tsx";
import { type Panel, panelsOf, type Series } from "./panels.ts";
import styles from "./Metrics.module.css";

interface Answer {
  from_ts: number;
  step_s: number;
  grafana_url: string | null;
  items: Series[];
}

const RANGES = ["1h", "6h", "24h", "7d", "30d"] as const;
const LOOK_MS = 60_000;

export default function Metrics() {
  const { search, set } = useAddress();
  const range = search["range"] ?? "24h";
  const asTable = search["as"] === "table";
  const metrics = useAnswer<Answer>("/metrics", { query: { range }, every_ms: LOOK_MS });
  return (
    <Screen title="Metrics" detail="All processes together">
      <div className={styles["bar"]} role="toolbar" aria-label="Range and form">
        {RANGES.map((each) => (
          <Button
            key={each}
            size="compact"
            variant={each === range ? "secondary" : "quiet"}
            aria-pressed={each === range}
            onPress={() => set(withFilter(search, "range", each === "24h" ? "" : each))}
          >
            {each}
          </Button>
        ))}
        <span className={styles["gap"]} />
        {metrics.data?.grafana_url && (
          <a href={metrics.data.grafana_url} target="_blank" rel="noreferrer">
            Open in Grafana
          </a>
        )}
        <Button
          size="compact"
          aria-pressed={asTable}
          onPress={() => set(withFilter(search, "as", asTable ? "" : "table"))}
        >
          {asTable ? "As charts" : "As a table"}
        </Button>
      </div>
      <Shown answer={metrics}>{(data) => (asTable ? <Twin answer={data} /> : <Panels answer={data} />)}</Shown>
    </Screen>
  );
}

function timesOf({ from_ts, step_s, items }: Answer): number[] {
  return (items[0]?.values ?? []).map((_, index) => from_ts + index * step_s * 1_000);
}

function Panels({ answer }: { answer: Answer }) {
  const times_ms = useMemo(() => timesOf(answer), [answer]);
  return (
    <div className={styles["panels"]}>
      {panelsOf(answer.items).map((panel) => (
        <OnePanel key={panel.title} panel={panel} times_ms={times_ms} items={answer.items} />
      ))}
    </div>
  );
}

function OnePanel({ panel, times_ms, items }: { panel: Panel; times_ms: number[]; items: Series[] }) {
  const lines = useMemo(
    () =>
      items
        .filter(({ series }) => panel.series.includes(series))
        .map(({ title, values }) => ({ label: title, values })),
    [items, panel],
  );
  return (
    <section className={styles["panel"]} aria-label={panel.title}>
      <Chart label={panel.title} times_ms={times_ms} lines={lines} format={formats[panel.unit] ?? String} />
    </section>
  );
}

/** One function for each unit, so that a chart is drawn anew only when its values are new. */
const formats: Readonly<Record<string, (value: number) => string>> = Object.fromEntries(
  ["people", "per hour", "per minute", "connections", "bytes", "ms", "messages", "share", "processes", "jobs"].map(
    (unit) => [unit, (value: number) => valueIn(unit, value)],
  ),
);

interface Row {
  at_ms: number;
  index: number;
}

/** The same as the charts, for who reads rather than looks: the newest first. */
function Twin({ answer }: { answer: Answer }) {
  const rows = timesOf(answer)
    .map((at_ms, index): Row => ({ at_ms, index }))
    .toReversed();
  const columns = [
    { id: "time", label: "Time", value: ({ at_ms }: Row) => exactTime(at_ms) },
    ...answer.items.map(({ series, title, unit, values }) => ({
      id: series,
      label: title,
      atEnd: true,
      value: ({ index }: Row) => shown(unit, values[index]),
    })),
  ];
  return (
    <div className={styles["twin"]}>
      <SimpleTable label="Metrics" items={rows} columns={columns} rowId={({ at_ms }) => String(at_ms)} />
    </div>
  );
}

function shown(unit: string, value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : valueIn(unit, value);
}
