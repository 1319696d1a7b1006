import { pathOf } from "../../api.ts";
import { useParams } from "@tanstack/react-router";
import { Screen } from "../../frame/Screen.tsx";
import { exactTime } from "../../model/time.ts";
import { grouped } from "../../parts/words.ts";
import { Tabs } from "../../parts/Tabs.tsx";
import { DataTable } from "../../table/DataTable.tsx";
import type { Column } from "../../table/types.ts";
import { NewChannels } from "./NewChannels.tsx";
import { NewImport } from "./NewImport.tsx";
import type { Import } from "./shapes.ts";

const columns: readonly Column<Import>[] = [
  { id: "import_id", label: "No.", width: "70px", value: ({ import_id }) => import_id, atEnd: true },
  { id: "kind", label: "Of", width: "110px", value: ({ kind }) => kind, onPhone: true },
  { id: "created_ts", label: "Made", width: "190px", value: ({ created_ts }) => exactTime(created_ts) },
  { id: "created_by", label: "By", width: "minmax(140px, 1fr)", value: ({ created_by }) => created_by },
  {
    id: "rows",
    label: "Rows",
    width: "90px",
    value: ({ rows }) => rows,
    cell: ({ rows }) => grouped(rows),
    atEnd: true,
    onPhone: true,
  },
  {
    id: "created",
    label: "New",
    width: "90px",
    value: ({ created }) => created,
    cell: ({ created }) => grouped(created),
    atEnd: true,
  },
  {
    id: "existed",
    label: "There before",
    width: "110px",
    value: ({ existed }) => existed,
    cell: ({ existed }) => grouped(existed),
    atEnd: true,
  },
  {
    id: "failed",
    label: "Failed",
    width: "90px",
    value: ({ failed }) => failed,
    cell: ({ failed }) => grouped(failed),
    atEnd: true,
    onPhone: true,
  },
];

export default function Imports() {
  const { tab = "new" } = useParams({ strict: false });
  return (
    <Screen title="Imports" fills={tab === "done"}>
      <Tabs
        label="Imports"
        current={tab}
        tabs={[
          { name: "new", to: "/imports", label: "People" },
          { name: "channels", to: "/imports/channels", label: "Channels" },
          { name: "done", to: "/imports/done", label: "Imports there were" },
        ]}
      />
      {tab === "done" ? (
        <DataTable
          label="Imports"
          path="/imports"
          columns={columns}
          rowId={({ import_id }) => String(import_id)}
          linkOf={({ import_id }) => pathOf`/imports/log/${String(import_id)}`}
          empty="Nothing has been imported."
        />
      ) : tab === "channels" ? (
        <NewChannels />
      ) : (
        <NewImport />
      )}
    </Screen>
  );
}
