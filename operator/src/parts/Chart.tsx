/** Lines over time, drawn by uPlot. The crosshair of all charts of a screen moves together. What it shows is also there as a table. */
import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useTheme } from "../../../web/src/ui/theme.ts";
import { useMedia } from "../model/useMedia.ts";
import { timeOfDay, timeOrDay } from "../model/time.ts";
import styles from "./Chart.module.css";

export interface Line {
  label: string;
  /** As many as there are times; null where nothing is known. */
  values: readonly (number | null)[];
}

export interface ChartProps {
  label: string;
  /** In milliseconds, ascending. */
  times_ms: readonly number[];
  lines: readonly Line[];
  /** A value for people, with its unit. */
  format: (value: number) => string;
}

const HEIGHT_PX = 160;
/** Colour and dash differ from line to line, so that none is known by its colour alone. */
const INKS = ["--accent", "--focus", "--warn", "--danger", "--ok", "--text-2", "--text-3"] as const;
const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 3], [8, 3, 2, 3], [], [6, 3], [2, 3]];

export function Chart({ label, times_ms, lines, format }: ChartProps) {
  const [index, setIndex] = useState<number | null>(null);
  const theme = `${useTheme()} ${useMedia("(prefers-color-scheme: dark)")}`;
  const at = index ?? times_ms.length - 1;
  return (
    <figure className={styles["chart"]}>
      <figcaption className={styles["caption"]}>
        <span className={styles["label"]}>{label}</span>
        <span className={styles["time"]}>{times_ms[at] === undefined ? "" : timeOfDay(times_ms[at])}</span>
      </figcaption>
      <Plot key={theme} times_ms={times_ms} lines={lines} format={format} onCursor={setIndex} />
      <ul className={styles["legend"]}>
        {lines.map(({ label: name, values }, each) => (
          <li key={name}>
            <svg width="16" height="4" aria-hidden="true" className={styles[`ink${each % INKS.length}`]}>
              <path d="M0 2h16" strokeWidth="2" strokeDasharray={DASHES[each % DASHES.length]?.join(" ")} />
            </svg>
            {name} <b>{shown(values[at], format)}</b>
          </li>
        ))}
      </ul>
    </figure>
  );
}

function shown(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? "–" : format(value);
}

interface Drawing extends Omit<ChartProps, "label"> {
  onCursor: (index: number | null) => void;
}

/** The canvas takes its colours when it is drawn, so each theme has its own. */
function Plot({ times_ms, lines, format, onCursor }: Drawing) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const plot = draw(element, { times_ms, lines, format, onCursor });
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [times_ms, lines, format, onCursor]);
  return <div ref={place} className={styles["place"]} aria-hidden="true" />;
}

function draw(element: HTMLElement, { times_ms, lines, format, onCursor }: Drawing): uPlot {
  const style = getComputedStyle(document.documentElement);
  const ink = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: ink("--text-2"),
    grid: { stroke: ink("--border"), width: 1 },
    ticks: { show: false },
    font: "11px sans-serif",
  };
  const options: uPlot.Options = {
    width: element.clientWidth,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { sync: { key: "console" }, points: { size: 5 }, drag: { x: false, y: false } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map((tick) => timeOrDay(tick * 1_000)) },
      { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => format(tick)) },
    ],
    scales: { y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.1 : 1] } },
    series: [
      {},
      ...lines.map((_, index) => ({
        stroke: ink(INKS[index % INKS.length] ?? "--accent"),
        dash: [...(DASHES[index % DASHES.length] ?? [])],
        width: 1.5,
        spanGaps: false,
        points: { show: false },
      })),
    ],
    hooks: { setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)] },
  };
  const data = [times_ms.map((time_ms) => time_ms / 1_000), ...lines.map(({ values }) => [...values])];
  return new uPlot(options, data as uPlot.AlignedData, element);
}
