import { addressOf, pathOf } from "../../api.ts";
import { Section } from "../../frame/Screen.tsx";
import { useOperator } from "../../frame/context.ts";
import { holds } from "../../session.ts";
import { useAnswer } from "../../model/queries.ts";
import { exactTime } from "../../model/time.ts";
import { Shown } from "../../parts/Shown.tsx";
import { Empty } from "../../parts/States.tsx";
import { SimpleTable, type SimpleTableProps } from "../../table/SimpleTable.tsx";

interface Export {
  export_id: number;
  state: "making" | "ready" | "failed";
  created_ts: number;
  created_by: string;
  expires_ts: number | null;
  records: number;
  fetches: { fetched_ts: number; fetched_by: string }[];
}

interface Proof {
  job_id: number;
  ended_ts: number;
  created_by: string;
  removed: Record<string, number>;
  left: Record<string, number>;
}

const STATES = { making: "Being gathered", ready: "Ready", failed: "Failed" } as const;
const LOOK_MS = 3_000;

const exportColumns = (userId: string, mayFetch: boolean): SimpleTableProps<Export>["columns"] => [
  { id: "made", label: "Gathered", value: ({ created_ts }) => exactTime(created_ts) },
  { id: "by", label: "By", value: ({ created_by }) => created_by },
  { id: "state", label: "State", value: ({ state }) => STATES[state] },
  { id: "records", label: "Records", value: ({ records }) => records, atEnd: true },
  { id: "until", label: "Kept until", value: ({ expires_ts }) => (expires_ts === null ? "–" : exactTime(expires_ts)) },
  {
    id: "fetched",
    label: "Fetched by",
    value: ({ fetches }) => [...new Set(fetches.map(({ fetched_by }) => fetched_by))].join(", ") || "nobody",
  },
  {
    id: "fetch",
    label: "Archive",
    value: () => null,
    cell: ({ export_id, state }) =>
      state === "ready" && mayFetch ? (
        <a href={addressOf(pathOf`/users/${userId}/exports/${String(export_id)}/archive`)} download>
          Download
        </a>
      ) : (
        "–"
      ),
  },
];

const told = (counts: Record<string, number>) =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name.replaceAll("_", " ")}`)
    .join(", ") || "nothing";

const proofColumns: SimpleTableProps<Proof>["columns"] = [
  { id: "ended", label: "Erased", value: ({ ended_ts }) => exactTime(ended_ts) },
  { id: "by", label: "By", value: ({ created_by }) => created_by },
  { id: "removed", label: "Removed", value: ({ removed }) => told(removed) },
  { id: "left", label: "Left", value: ({ left }) => told(left) },
];

/** What was gathered of a person for them, and the proofs that they were erased. */
export function UserData({ userId }: { userId: string }) {
  const { role } = useOperator();
  const exports = useAnswer<{ items: Export[] }>(pathOf`/users/${userId}/exports`, { every_ms: LOOK_MS });
  const proofs = useAnswer<{ items: Proof[] }>(pathOf`/users/${userId}/erasures`, { every_ms: LOOK_MS });
  return (
    <>
      <Section
        title="Exports"
        intro="Everything that the server has of this person, for them. Only an owner gathers and fetches it, and each time stands in the audit log."
      >
        <Shown answer={exports}>
          {({ items }) =>
            items.length > 0 ? (
              <SimpleTable
                label="Exports"
                items={items}
                columns={exportColumns(userId, holds(role, "owner"))}
                rowId={({ export_id }) => String(export_id)}
              />
            ) : (
              <Empty>Nothing was gathered, or it is no longer kept.</Empty>
            )
          }
        </Shown>
      </Section>
      <Section title="Erasure" intro="What was removed, and what was left when everything was counted again.">
        <Shown answer={proofs}>
          {({ items }) =>
            items.length > 0 ? (
              <SimpleTable
                label="Erasures"
                items={items}
                columns={proofColumns}
                rowId={({ job_id }) => String(job_id)}
              />
            ) : (
              <Empty>This person was not erased.</Empty>
            )
          }
        </Shown>
      </Section>
    </>
  );
}
