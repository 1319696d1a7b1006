import { useCallback, useEffect, useState } from "react";
import { type Failure, failureOf } from "../../models/session/failure.ts";

export interface Loaded<T> {
  /** Null until it is there. */
  value: T | null;
  failure: Failure | null;
  reload: () => void;
  /** Puts in a newer value without asking. */
  put: (value: T) => void;
}

/** Something that is asked of the server when a view appears. `load` must be stable. */
export function useLoaded<T>(load: () => Promise<T>): Loaded<T> {
  const [value, setValue] = useState<T | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const run = useCallback(
    () =>
      load().then(
        (loaded) => {
          setValue(loaded);
          setFailure(null);
        },
        (error: unknown) => setFailure(failureOf(error, "other")),
      ),
    [load],
  );
  useEffect(() => void run(), [run]);
  return { value, failure, reload: () => void run(), put: setValue };
}
