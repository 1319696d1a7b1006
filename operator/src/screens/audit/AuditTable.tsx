import { addressOf } from "../../api.ts";
import type { Filter } from "../../model/search.ts";
import { exactTime } from "../../model/time.ts";
import { useAddress } from "../../model/useSearch.ts";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { DataTable } from "../../table/DataTable.tsx";
import type { Column } from "../../table/types.ts";
import { EntrySheet } from "./EntrySheet.tsx";
import type { Entry } from "./shapes.ts";

const columns: readonly Column<Entry>[] = [
  {
    id: "position",
    label: "No.",
    width: "104px",
    value: ({ position }) => position,
    // The entry that said that the act begins is not shown by itself. Its number is, since a gap looks like an entry taken away.
    cell: ({ position, begun }) => (begun === null ? position : `${begun}, ${position}`),
    atEnd: true,
  },
  {
    id: "time_ts",
    label: "Time",
    width: "180px",
    value: ({ time_ts }) => new Date(time_ts).toISOString(),
    cell: ({ time_ts }) => exactTime(time_ts),
  },
  { id: "actor", label: "Who", width: "minmax(140px, 1fr)", value: ({ actor }) => actor, onPhone: true },
  { id: "action", label: "Did", width: "minmax(140px, 1fr)", value: ({ action }) => action, onPhone: true },
  { id: "target", label: "To", width: "minmax(140px, 1.2fr)", value: ({ target }) => target },
  {
    id: "outcome",
    label: "Outcome",
    width: "90px",
    value: ({ outcome }) => outcome,
    cell: ({ outcome }) => (outcome === "done" ? "done" : <StatusTag state={outcome} />),
  },
  { id: "reason", label: "Reason", width: "minmax(120px, 1fr)", value: ({ reason }) => reason, isExtra: true },
  { id: "address", label: "Address", width: "120px", value: ({ address }) => address },
  { id: "via", label: "By", width: "80px", value: ({ via }) => via, isExtra: true },
  { id: "device", label: "Device", width: "120px", value: ({ device }) => device, isExtra: true },
];

const filters: readonly Filter[] = [
  { name: "actor", label: "Who" },
  { name: "action", label: "Did, such as users" },
  { name: "target", label: "To" },
  {
    name: "outcome",
    label: "Outcome",
    options: ["done", "denied", "failed", "begun"].map((value) => ({ value, label: value })),
  },
  { name: "from", label: "Since", day: { first: "since_ts" } },
  { name: "to", label: "Until", day: { last: "until_ts" } },
];

const exportOf = (form: "csv" | "json", query: Readonly<Record<string, string | number | boolean | undefined>>) =>
  addressOf("/audit/export", { ...query, format: form === "csv" ? "csv" : "jsonl" });

/** Entries of the audit log; with a target only those about it. One that is pressed is shown in full at the side. */
export function AuditTable({ target }: { target?: string }) {
  const { search, set } = useAddress();
  const { open, ...rest } = search;
  return (
    <>
      <DataTable
        label="Audit log"
        path="/audit"
        query={target === undefined ? {} : { target }}
        columns={columns}
        rowId={({ position }) => String(position)}
        onOpen={({ position }) => set({ ...search, open: String(position) }, { isStep: true })}
        filters={target === undefined ? filters : filters.filter(({ name }) => name !== "target")}
        exportOf={exportOf}
        empty={target === undefined ? "Nobody has done anything yet." : "No operator has done anything here yet."}
      />
      {open !== undefined && <EntrySheet position={open} onClose={() => set(rest)} />}
    </>
  );
}
