import { cornersOf, lookOf } from "./kinds.ts";
import { useEffectiveTheme } from "./useEffectiveTheme.ts";
import styles from "./Legend.module.css";

export interface LegendProps {
  /** The types that there are, with how many of each. */
  types: readonly { type: string; label: string; count: number }[];
  hidden: ReadonlySet<string>;
  onToggle: (type: string) => void;
}

/** Which colour and shape is what. Each entry shows and hides its type. */
export function Legend({ types, hidden, onToggle }: LegendProps) {
  const theme = useEffectiveTheme();
  return (
    <ul className={styles["legend"]} aria-label="Types">
      {types.map(({ type, label, count }) => (
        <li key={type}>
          <button
            type="button"
            className={styles["entry"]}
            aria-pressed={!hidden.has(type)}
            onClick={() => onToggle(type)}
          >
            <Mark type={type} theme={theme} />
            {label} <span className={styles["count"]}>{count}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** The shape of a type, in its colour. */
export function Mark({ type, theme }: { type: string; theme: "light" | "dark" }) {
  const { shape, colour } = lookOf(type, theme);
  const corners = cornersOf(shape, 6).map(({ x, y }) => `${(x + 7).toFixed(1)},${(y + 7).toFixed(1)}`);
  return (
    <svg width="14" height="14" aria-hidden="true">
      {corners.length > 0 ? (
        <polygon points={corners.join(" ")} fill={colour} />
      ) : (
        <circle cx="7" cy="7" r="5.5" fill={colour} />
      )}
    </svg>
  );
}
