import { useMemo } from "react";
import { pathOf } from "../../api.ts";
import type { Filter } from "../../model/search.ts";
import { DataTable } from "../../table/DataTable.tsx";
import { timeColumn } from "../../table/timeColumn.tsx";
import type { Column } from "../../table/types.ts";
import { questionColumn } from "../graph/QuestionLink.tsx";
import type { Member } from "./shapes.ts";

const columnsFor = (roomId: string): readonly Column<Member>[] => [
  { id: "user_id", label: "User", width: "minmax(200px, 2fr)", value: ({ user_id }) => user_id, onPhone: true },
  { id: "display_name", label: "Name", width: "minmax(140px, 1fr)", value: ({ display_name }) => display_name },
  { id: "membership", label: "Membership", width: "120px", value: ({ membership }) => membership, onPhone: true },
  {
    id: "power_level",
    label: "Power",
    width: "90px",
    value: ({ power_level }) => power_level ?? "no limit",
    atEnd: true,
  },
  timeColumn({ of: "since_ts", label: "Since", width: "110px" }),
  questionColumn("Why can they read?", ({ user_id }) => ({ question: "why", about: { user_id, room_id: roomId } })),
];

const filters: readonly Filter[] = [
  {
    name: "membership",
    label: "Membership",
    options: ["join", "invite", "knock", "leave", "ban"].map((value) => ({ value, label: value })),
  },
];

/** Who is, was or may come to be in a room. */
export function Members({ roomId }: { roomId: string }) {
  const columns = useMemo(() => columnsFor(roomId), [roomId]);
  return (
    <DataTable
      label="Members"
      path={pathOf`/rooms/${roomId}/members`}
      columns={columns}
      rowId={({ user_id }) => user_id}
      linkOf={({ user_id }) => pathOf`/users/${user_id}`}
      isSearchable
      filters={filters}
      empty="Nobody was ever in this room."
    />
  );
}
