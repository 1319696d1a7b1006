import { useParams } from "@tanstack/react-router";
import { call, pathOf } from "../../api.ts";
import { Screen } from "../../frame/Screen.tsx";
import { csvOf, saveFile } from "../../model/csv.ts";
import type { ListPage } from "../../model/queries.ts";
import type { Filter } from "../../model/search.ts";
import type { Act } from "../../parts/acts.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { count } from "../../parts/words.ts";
import { DataTable } from "../../table/DataTable.tsx";
import type { Column } from "../../table/types.ts";
import type { LogRow } from "./shapes.ts";

const LOOK_MS = 5_000;

const columns: readonly Column<LogRow>[] = [
  { id: "row", label: "Row", width: "80px", value: ({ row }) => row, atEnd: true },
  { id: "name", label: "Name", width: "minmax(140px, 1fr)", value: ({ name }) => name, onPhone: true },
  {
    id: "outcome",
    label: "Outcome",
    width: "110px",
    value: ({ outcome }) => outcome,
    cell: ({ outcome }) => <StatusTag state={outcome} />,
    onPhone: true,
  },
  { id: "result", label: "Became", width: "minmax(160px, 1.4fr)", value: ({ result }) => result },
  { id: "detail", label: "Detail", width: "minmax(160px, 2fr)", value: ({ detail }) => detail },
];

const filters: readonly Filter[] = [
  {
    name: "outcome",
    label: "Outcome",
    options: ["created", "exists", "failed"].map((value) => ({ value, label: value })),
  },
];

export default function ImportLog() {
  const { importId = "" } = useParams({ strict: false });
  return (
    <Screen
      title={`Import ${importId}`}
      back={{ to: "/imports/done", label: "Imports" }}
      action={
        <ActButton size="default" icon="download" act={() => links(importId)}>
          Links for new people
        </ActButton>
      }
      fills
    >
      <DataTable
        label="Rows of the import"
        path={pathOf`/imports/${importId}/rows`}
        columns={columns}
        rowId={({ row }) => String(row)}
        filters={filters}
        every_ms={LOOK_MS}
        empty="The file had no rows."
      />
    </Screen>
  );
}

interface Made {
  user_id: string;
  link: string;
  link_expires_ts: number;
}

/** A file with a link for each person who has no password yet. */
function links(importId: string): Act<number> {
  return {
    title: "Make links for new people?",
    consequence:
      "Each person of this import without a password gets a link to set one. Links that were made before end. The file is the only place where they stand.",
    label: "Make the links",
    asksReason: true,
    async run({ reason }) {
      const made: Made[] = [];
      let from: string | undefined;
      do {
        const page: ListPage<Made> = await call(pathOf`/imports/${importId}/links`, {
          method: "POST",
          query: { from },
          body: { reason },
        });
        made.push(...page.items);
        from = page.next;
      } while (from !== undefined);
      const rows = made.map(({ user_id, link, link_expires_ts }) => [
        user_id,
        link,
        new Date(link_expires_ts).toISOString(),
      ]);
      saveFile(`links-of-import-${importId}.csv`, "text/csv", csvOf(["user_id", "link", "expires"], rows));
      return made.length;
    },
    says: (number) => `Made ${count(number, "link")}.`,
  };
}
