import { Link } from "@tanstack/react-router";
import { pathOf } from "../../api.ts";
import { differences } from "../../model/differences.ts";
import { useAnswer } from "../../model/queries.ts";
import { exactTime } from "../../model/time.ts";
import { Fact, Facts } from "../../parts/Facts.tsx";
import { Sheet } from "../../parts/Sheet.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { StatusTag } from "../../parts/StatusTag.tsx";
import styles from "./EntrySheet.module.css";
import type { Entry } from "./shapes.ts";

/** One entry in full, with what it changed. */
export function EntrySheet({ position, onClose }: { position: string; onClose: () => void }) {
  const entry = useAnswer<Entry>(pathOf`/audit/${position}`);
  return (
    <Sheet title={`Entry ${position}`} onClose={onClose}>
      <Shown answer={entry}>
        {(data) => (
          <>
            <About entry={data} />
            <Changes entry={data} />
          </>
        )}
      </Shown>
    </Sheet>
  );
}

function About({ entry }: { entry: Entry }) {
  const { target } = entry;
  return (
    <Facts>
      <Fact name="Time">{exactTime(entry.time_ts)}</Fact>
      <Fact name="Who">{entry.actor}</Fact>
      <Fact name="Did">{entry.action}</Fact>
      <Fact name="To">{target && <Target id={target} />}</Fact>
      <Fact name="Outcome">
        <StatusTag state={entry.outcome} /> {entry.error}
        {entry.outcome === "begun" && " Unless it runs still, its process ended first: look at what became of it."}
      </Fact>
      {entry.begun !== null && <Fact name="Began">No. {entry.begun}, written before it was done</Fact>}
      <Fact name="Reason">{entry.reason}</Fact>
      <Fact name="From">
        {entry.address}, by {entry.via}
        {entry.device ? `, device ${entry.device}` : ""}
      </Fact>
      <Fact name="Hash">
        <code>{entry.hash}</code>
      </Fact>
    </Facts>
  );
}

/** People and rooms have pages; what else an act can be about has none. A device stands behind its person. */
function Target({ id }: { id: string }) {
  const [person = "", ...device] = id.split(" ");
  if (id.startsWith("@"))
    return (
      <>
        <Link to={pathOf`/users/${person}`}>{person}</Link> {device.join(" ")}
      </>
    );
  if (id.startsWith("!")) return <Link to={pathOf`/rooms/${id}`}>{id}</Link>;
  return id;
}

const timeIn = (text: string | null) => (text !== null && /^\d{12,14}$/.test(text) ? exactTime(Number(text)) : text);

function Changes({ entry: { before, after } }: { entry: Entry }) {
  const rows = differences(before, after).map((row) =>
    row.name.endsWith("_ts") ? { ...row, before: timeIn(row.before), after: timeIn(row.after) } : row,
  );
  if (rows.length === 0) return null;
  return (
    <table className={styles["changes"]}>
      <caption>What it changed</caption>
      <thead>
        <tr>
          <th scope="col">Member</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.name} data-changed={row.before !== row.after || undefined}>
            <th scope="row">{row.name || "value"}</th>
            <td>{row.before === null ? "–" : row.before === row.after ? row.before : <del>{row.before}</del>}</td>
            <td>{row.after === null ? "–" : row.before === row.after ? row.after : <ins>{row.after}</ins>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
