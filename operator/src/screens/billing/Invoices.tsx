import { exactTime } from "../../model/time.ts";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { DataTable } from "../../table/DataTable.tsx";
import { timeColumn } from "../../table/timeColumn.tsx";
import type { Column } from "../../table/types.ts";
import { type Invoice, moneyOf } from "./shapes.ts";

const columns: readonly Column<Invoice>[] = [
  {
    id: "number",
    label: "Number",
    width: "minmax(120px, 1fr)",
    value: ({ number, invoice_id }) => number ?? invoice_id,
    cell: ({ number, invoice_id, url }) =>
      url === null ? (
        (number ?? invoice_id)
      ) : (
        <a href={url} target="_blank" rel="noreferrer">
          {number ?? invoice_id}
        </a>
      ),
    onPhone: true,
  },
  {
    id: "status",
    label: "State",
    width: "120px",
    value: ({ status }) => status,
    cell: ({ status }) => <StatusTag state={status} />,
    onPhone: true,
  },
  {
    id: "total",
    label: "Total",
    width: "110px",
    value: ({ total, currency }) => moneyOf(total, currency),
    atEnd: true,
    onPhone: true,
  },
  {
    id: "amount_paid",
    label: "Paid",
    width: "110px",
    value: ({ amount_paid, currency }) => moneyOf(amount_paid, currency),
    atEnd: true,
  },
  { id: "attempt_count", label: "Attempts", width: "90px", value: ({ attempt_count }) => attempt_count, atEnd: true },
  {
    id: "next_attempt_ts",
    label: "Next attempt",
    width: "minmax(120px, 1fr)",
    value: ({ next_attempt_ts }) => next_attempt_ts,
    cell: ({ next_attempt_ts }) => (next_attempt_ts === null ? "–" : exactTime(next_attempt_ts)),
  },
  timeColumn({ of: "created_ts", label: "Made", width: "100px" }),
];

const filters = [
  {
    name: "status",
    label: "State",
    options: ["draft", "open", "paid", "uncollectible", "void"].map((value) => ({ value, label: value })),
  },
];

export function Invoices() {
  return (
    <DataTable
      label="Invoices"
      path="/billing/invoices"
      columns={columns}
      rowId={({ invoice_id }) => invoice_id}
      filters={filters}
      empty="Stripe has told of no invoice yet."
    />
  );
}
