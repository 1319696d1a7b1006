import styles from "./Skeleton.module.css";

/** Grey bars where rows will be. They stand still: nothing in a list of messages may move by itself. */
export function SkeletonRows({ rows, shape }: { rows: number; shape: "message" | "line" }) {
  return (
    <div className={styles[shape]} aria-hidden="true">
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className={styles["row"]}>
          {shape === "message" && <span className={styles["face"]} />}
          <span className={styles["bars"]}>
            {shape === "message" && <span className={styles["name"]} />}
            <span className={styles[`w${index % 3}`]} />
          </span>
        </div>
      ))}
    </div>
  );
}
