import styles from "./Spinner.module.css";

/** A turning ring. With a `label` it announces itself; without one it is decoration beside words that already say it. */
export function Spinner({ size = 20, label }: { size?: number; label?: string }) {
  const ring = (
    <svg className={styles["ring"]} width={size} height={size} viewBox="0 0 20 20" fill="none" aria-hidden="true">
      <circle cx="10" cy="10" r="8" stroke="currentColor" strokeOpacity="0.22" strokeWidth="2.2" />
      <path d="M10 2a8 8 0 0 1 8 8" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" />
    </svg>
  );
  if (!label) return ring;
  return (
    <output className={styles["labelled"]}>
      {ring}
      <span>{label}</span>
    </output>
  );
}
