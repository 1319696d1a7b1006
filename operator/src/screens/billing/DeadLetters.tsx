import { ask } from "../../parts/acts.ts";
import { Time } from "../../parts/Time.tsx";
import { DataTable } from "../../table/DataTable.tsx";
import type { Column } from "../../table/types.ts";
import { discard, retry } from "./acts.tsx";
import type { DeadLetter } from "./shapes.ts";

const columns: readonly Column<DeadLetter>[] = [
  { id: "type", label: "What", width: "minmax(160px, 1fr)", value: ({ type }) => type, onPhone: true },
  { id: "handler", label: "Handler", width: "120px", value: ({ handler }) => handler },
  { id: "last_error", label: "Why", width: "minmax(200px, 3fr)", value: ({ last_error }) => last_error, onPhone: true },
  { id: "attempts", label: "Attempts", width: "90px", value: ({ attempts }) => attempts, atEnd: true },
  { id: "event_id", label: "Event", width: "minmax(140px, 1fr)", value: ({ event_id }) => event_id },
  {
    id: "settled_ts",
    label: "Since",
    width: "90px",
    value: ({ settled_ts }) => settled_ts,
    cell: ({ settled_ts }) => (settled_ts === null ? "–" : <Time at_ms={settled_ts} />),
  },
];

/** Events that a handler could not handle, however often it tried. */
export function DeadLetters() {
  return (
    <DataTable
      label="Events that were not handled"
      path="/billing/dead-letters"
      columns={columns}
      rowId={({ event_id, handler }) => `${event_id} ${handler}`}
      bulk={[
        { id: "retry", label: "Try again", icon: "refresh", run: (letters) => ask(retry(letters)) },
        { id: "discard", label: "Leave", icon: "trash", run: (letters) => ask(discard(letters)) },
      ]}
      empty="Every event has been handled, or is being tried again."
    />
  );
}
