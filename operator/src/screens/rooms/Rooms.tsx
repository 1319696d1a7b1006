import { Screen } from "../../frame/Screen.tsx";
import { pathOf } from "../../api.ts";
import type { Filter } from "../../model/search.ts";
import { ask } from "../../parts/acts.ts";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { grouped } from "../../parts/words.ts";
import { DataTable } from "../../table/DataTable.tsx";
import { timeColumn } from "../../table/timeColumn.tsx";
import type { Column } from "../../table/types.ts";
import { blockRooms } from "./acts.tsx";
import { nameOf, type Room } from "./shapes.ts";

/** Counted no further than this by the API. */
const EVENTS_COUNTED = 10_000;

const columns: readonly Column<Room>[] = [
  { id: "name", label: "Name", width: "minmax(180px, 2fr)", value: nameOf, onPhone: true, sorts: ["name"] },
  { id: "room_id", label: "Id", width: "minmax(160px, 1fr)", value: ({ room_id }) => room_id, isExtra: true },
  { id: "alias", label: "Address", width: "minmax(140px, 1fr)", value: ({ canonical_alias }) => canonical_alias },
  { id: "kind", label: "Kind", width: "80px", value: ({ type }) => (type === "m.space" ? "space" : "room") },
  {
    id: "members",
    label: "Members",
    width: "90px",
    value: ({ members }) => members,
    cell: ({ members }) => grouped(members),
    atEnd: true,
    onPhone: true,
    sorts: ["-members"],
  },
  { id: "encrypted", label: "Encrypted", width: "90px", value: ({ encrypted }) => (encrypted ? "yes" : "no") },
  { id: "join_rule", label: "Who may join", width: "120px", value: ({ join_rule }) => join_rule },
  { id: "creator", label: "Created by", width: "minmax(140px, 1fr)", value: ({ creator }) => creator, isExtra: true },
  {
    id: "events",
    label: "Events",
    width: "90px",
    value: ({ events }) => events,
    cell: ({ events }) => (events >= EVENTS_COUNTED ? `${grouped(EVENTS_COUNTED)}+` : grouped(events)),
    atEnd: true,
  },
  { id: "version", label: "Version", width: "70px", value: ({ version }) => version, isExtra: true },
  timeColumn({ of: "last_activity_ts", label: "Last active", width: "100px", sorts: ["-last_activity"] }),
  {
    id: "blocked",
    label: "State",
    width: "90px",
    value: ({ blocked }) => (blocked ? "blocked" : ""),
    cell: ({ blocked }) => (blocked ? <StatusTag state="blocked" /> : ""),
    onPhone: true,
  },
];

const yesNo = (yes: string, no: string) => [
  { value: "true", label: yes },
  { value: "false", label: no },
];

const filters: readonly Filter[] = [
  { name: "space", label: "Kind", options: yesNo("spaces", "rooms") },
  { name: "encrypted", label: "Encryption", options: yesNo("encrypted", "not encrypted") },
  {
    name: "join_rule",
    label: "Who may join",
    options: ["public", "invite", "knock", "restricted", "knock_restricted"].map((value) => ({
      value,
      label: value.replace("_", " "),
    })),
  },
  { name: "empty", label: "Members", options: yesNo("nobody", "somebody") },
  { name: "blocked", label: "Blocked", options: yesNo("blocked", "not blocked") },
];

export default function Rooms() {
  return (
    <Screen title="Rooms and spaces" fills>
      <DataTable
        label="Rooms"
        path="/rooms"
        columns={columns}
        rowId={({ room_id }) => room_id}
        linkOf={({ room_id }) => pathOf`/rooms/${room_id}`}
        isSearchable
        filters={filters}
        bulk={[{ id: "block", label: "Block", icon: "ban", run: (rooms) => ask(blockRooms(rooms)) }]}
        empty="There are no rooms yet. They appear when people make them."
      />
    </Screen>
  );
}
