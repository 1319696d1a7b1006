import styles from "./Sparkline.module.css";

const [WIDTH, HEIGHT] = [120, 28];

/** The course of a number, as a line without axes. Decoration: the number itself stands beside it. */
export function Sparkline({ values }: { values: readonly (number | null)[] }) {
  return (
    <svg
      className={styles["line"]}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      <path d={pathOf(values)} />
    </svg>
  );
}

/** A path through the values, broken where there is none. */
export function pathOf(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...known, 0), Math.max(...known, 0)];
  const x = (index: number) => ((index / Math.max(1, values.length - 1)) * WIDTH).toFixed(1);
  const y = (value: number) => (HEIGHT - 1.5 - ((value - low) / (high - low || 1)) * (HEIGHT - 3)).toFixed(1);
  return values
    .map((value, index) =>
      value === null ? "" : `${(values[index - 1] ?? null) === null ? "M" : "L"}${x(index)} ${y(value)}`,
    )
    .join("");
}
