import { Section } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import { exactTime, lengthOf } from "../../model/time.ts";
import { Fact, Facts } from "../../parts/Facts.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { Empty } from "../../parts/States.tsx";
import { Time } from "../../parts/Time.tsx";
import { SimpleTable, type SimpleTableProps } from "../../table/SimpleTable.tsx";
import type { Backups, Run } from "./shapes.ts";

type Listed = Backups["items"][number];

const columns: SimpleTableProps<Listed>["columns"] = [
  { id: "kind", label: "Kind", value: ({ kind }) => kind.replaceAll("_", " ") },
  {
    id: "started",
    label: "Began",
    value: ({ started_ts }) => started_ts,
    cell: ({ started_ts }) => exactTime(started_ts),
  },
  {
    id: "took",
    label: "Took",
    value: ({ started_ts, ended_ts }) => (ended_ts === null ? "" : lengthOf(ended_ts - started_ts)),
  },
  { id: "ok", label: "How it went", value: ({ ok }) => ok, cell: (run) => <StatusTag state={outcomeOf(run)} /> },
  { id: "detail", label: "Detail", value: ({ detail }) => wordsOf(detail) },
];

function outcomeOf({ ok, ended_ts }: Run): string {
  return ended_ts === null ? "running" : ok ? "well" : "failed";
}

function wordsOf(detail: Record<string, unknown>): string {
  return Object.entries(detail)
    .filter(([, value]) => typeof value !== "object")
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${String(value)}`)
    .join(", ");
}

/** When a backup was taken and a restore was tried. */
export function BackupsTab() {
  const backups = useAnswer<Backups>("/system/backups");
  return (
    <Section
      title="Backups and restore drills"
      intro="What parley backup and parley restore have noted. Backups that PostgreSQL takes by itself are not known here."
    >
      <Shown answer={backups}>
        {({ last_backup, last_drill, items }) => (
          <>
            <Facts>
              <Fact name="Last backup that went well">
                {last_backup ? <Time at_ms={last_backup.ended_ts} /> : "None yet"}
              </Fact>
              <Fact name="Last restore that was tried">
                {last_drill ? <Time at_ms={last_drill.ended_ts} /> : "None yet"}
              </Fact>
            </Facts>
            {items.length > 0 ? (
              <SimpleTable label="Backups" items={items} columns={columns} rowId={({ run_id }) => String(run_id)} />
            ) : (
              <Empty>No backup has been taken. Take one with: parley backup</Empty>
            )}
          </>
        )}
      </Shown>
    </Section>
  );
}
