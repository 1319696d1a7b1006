import { exactTime, since } from "../model/time.ts";
import { useNow } from "../model/useNow.ts";

/** How long ago something was, and exactly when where the pointer rests; a dash where it never was. */
export function Time({ at_ms }: { at_ms: number | null | undefined }) {
  const now_ms = useNow();
  if (at_ms === null || at_ms === undefined) return "–";
  return (
    <time dateTime={new Date(at_ms).toISOString()} title={exactTime(at_ms)}>
      {since(at_ms, now_ms)}
    </time>
  );
}
