import type { ReactNode } from "react";
import { Button } from "../../ui/Button.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import type { Loaded } from "./useLoaded.ts";
import styles from "./Loading.module.css";

/** Shows what was loaded; while it is not there, that it comes, or why it does not. */
export function Loading<T>({ loaded, children }: { loaded: Loaded<T>; children: (value: T) => ReactNode }) {
  const retry = (
    <Button size="compact" onPress={loaded.reload}>
      Try again
    </Button>
  );
  return (
    <>
      {loaded.failure && (
        <div className={styles.space}>
          <Notice tone="danger" action={retry}>
            {loaded.failure.text}
          </Notice>
        </div>
      )}
      {loaded.value !== null && children(loaded.value)}
      {loaded.value === null && !loaded.failure && (
        <div className={styles.space}>
          <Spinner label="Loading…" />
        </div>
      )}
    </>
  );
}
