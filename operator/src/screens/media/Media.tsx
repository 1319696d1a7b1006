import { useParams } from "@tanstack/react-router";
import { pathOf } from "../../api.ts";
import { Screen } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import type { Filter } from "../../model/search.ts";
import { exactTime } from "../../model/time.ts";
import { useAddress } from "../../model/useSearch.ts";
import { ask } from "../../parts/acts.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { Fact, Facts } from "../../parts/Facts.tsx";
import { Sheet } from "../../parts/Sheet.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { Tabs } from "../../parts/Tabs.tsx";
import { grouped, sizeOf } from "../../parts/words.ts";
import { DataTable } from "../../table/DataTable.tsx";
import { timeColumn } from "../../table/timeColumn.tsx";
import type { Column } from "../../table/types.ts";
import { UserLinks } from "../rooms/links.tsx";
import { deleteFile, deleteOfUser, quarantine, release, setProtected } from "./acts.tsx";
import type { Medium } from "./shapes.ts";

const columns: readonly Column<Medium>[] = [
  { id: "media_id", label: "File", width: "minmax(180px, 1.4fr)", value: ({ media_id }) => media_id, onPhone: true },
  { id: "user_id", label: "Whose", width: "minmax(160px, 1.4fr)", value: ({ user_id }) => user_id },
  { id: "content_type", label: "Type", width: "minmax(120px, 1fr)", value: ({ content_type }) => content_type },
  {
    id: "size_bytes",
    label: "Size",
    width: "100px",
    value: ({ size_bytes }) => size_bytes,
    cell: ({ size_bytes }) => sizeOf(size_bytes),
    atEnd: true,
    onPhone: true,
    sorts: ["-size_bytes"],
  },
  timeColumn({ of: "created_ts", label: "Uploaded", width: "100px", sorts: ["-created_ts"] }),
  {
    id: "state",
    label: "State",
    width: "130px",
    value: stateOf,
    cell: (file) => stateOf(file) && <StatusTag state={stateOf(file)} />,
    onPhone: true,
  },
];

function stateOf({ quarantined, protected: isProtected }: Medium): string {
  return quarantined ? "quarantined" : isProtected ? "protected" : "";
}

const filters: readonly Filter[] = [
  { name: "user_id", label: "Whose" },
  {
    name: "least_bytes",
    label: "Size",
    options: [
      { value: "1000000", label: "1 MB and more" },
      { value: "10000000", label: "10 MB and more" },
      { value: "100000000", label: "100 MB and more" },
    ],
  },
  { name: "quarantined", label: "Quarantine", options: [{ value: "true", label: "quarantined" }] },
  { name: "to", label: "Uploaded until", day: { last: "before_ts" } },
];

export default function Media() {
  const { tab = "files" } = useParams({ strict: false });
  return (
    <Screen title="Media" detail="Whose, how large and how old; never what is in a file." fills>
      <Tabs
        label="Media"
        current={tab}
        tabs={[
          { name: "files", to: "/media", label: "Files" },
          { name: "people", to: "/media/people", label: "By person" },
        ]}
      />
      {tab === "files" ? <Files /> : <Totals />}
    </Screen>
  );
}

function Files() {
  const { search, set } = useAddress();
  const { open, ...rest } = search;
  return (
    <>
      <DataTable
        label="Files"
        path="/media"
        columns={columns}
        rowId={({ media_id }) => media_id}
        onOpen={({ media_id }) => set({ ...search, open: media_id }, { isStep: true })}
        filters={filters}
        bulk={[{ id: "quarantine", label: "Quarantine", icon: "ban", run: (files) => ask(quarantine(files)) }]}
        empty="Nobody has uploaded a file."
      />
      {open !== undefined && <FileSheet mediaId={open} onClose={() => set(rest)} />}
    </>
  );
}

function FileSheet({ mediaId, onClose }: { mediaId: string; onClose: () => void }) {
  const file = useAnswer<Medium>(pathOf`/media/${mediaId}`);
  const { data } = file;
  return (
    <Sheet
      title={mediaId}
      onClose={onClose}
      actions={
        data && (
          <>
            <ActButton act={() => deleteFile(data)}>Delete</ActButton>
            <ActButton act={() => setProtected(data)}>{data.protected ? "Protect no longer" : "Protect"}</ActButton>
            <ActButton act={() => (data.quarantined ? release(data) : quarantine([data]))}>
              {data.quarantined ? "Release" : "Quarantine"}
            </ActButton>
          </>
        )
      }
    >
      <Shown answer={file}>
        {(medium) => (
          <Facts>
            <Fact name="Whose">
              <UserLinks userIds={[medium.user_id]} />
            </Fact>
            <Fact name="Type">{medium.content_type}</Fact>
            <Fact name="Size">{sizeOf(medium.size_bytes)}</Fact>
            <Fact name="Uploaded">{exactTime(medium.created_ts)}</Fact>
            <Fact name="State">{stateOf(medium)}</Fact>
          </Facts>
        )}
      </Shown>
    </Sheet>
  );
}

interface Total {
  user_id: string;
  files: number;
  bytes: number;
}

const totalColumns: readonly Column<Total>[] = [
  { id: "user_id", label: "Person", width: "minmax(180px, 2fr)", value: ({ user_id }) => user_id, onPhone: true },
  {
    id: "files",
    label: "Files",
    width: "110px",
    value: ({ files }) => files,
    cell: ({ files }) => grouped(files),
    atEnd: true,
  },
  {
    id: "bytes",
    label: "Together",
    width: "130px",
    value: ({ bytes }) => bytes,
    cell: ({ bytes }) => sizeOf(bytes),
    atEnd: true,
    onPhone: true,
  },
  {
    id: "act",
    label: "Act",
    width: "120px",
    value: () => null,
    cell: ({ user_id }) => (
      <ActButton variant="quiet" act={() => deleteOfUser(user_id)}>
        Delete all
      </ActButton>
    ),
  },
];

/** Who has uploaded how much, whoever has the most first. */
function Totals() {
  return (
    <DataTable
      label="Files by person"
      path="/media-totals"
      columns={totalColumns}
      rowId={({ user_id }) => user_id}
      linkOf={({ user_id }) => pathOf`/users/${user_id}`}
      empty="Nobody has uploaded a file."
    />
  );
}
