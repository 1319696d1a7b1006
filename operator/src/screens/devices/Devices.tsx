import { Link } from "@tanstack/react-router";
import { pathOf } from "../../api.ts";
import { Screen } from "../../frame/Screen.tsx";
import type { Filter } from "../../model/search.ts";
import { ask } from "../../parts/acts.ts";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { DataTable } from "../../table/DataTable.tsx";
import { timeColumn } from "../../table/timeColumn.tsx";
import type { Column } from "../../table/types.ts";
import { questionColumn } from "../graph/QuestionLink.tsx";
import { signOutDevices } from "./acts.tsx";
import type { Device } from "./shapes.ts";

const columns: readonly Column<Device>[] = [
  {
    id: "device_id",
    label: "Device",
    width: "minmax(96px, 1fr)",
    value: ({ device_id }) => device_id,
    onPhone: true,
  },
  { id: "display_name", label: "Name", width: "minmax(140px, 1.4fr)", value: ({ display_name }) => display_name },
  {
    id: "user_id",
    label: "Whose",
    width: "minmax(96px, 1.4fr)",
    value: ({ user_id }) => user_id,
    cell: ({ user_id }) => (
      <Link to={pathOf`/users/${user_id}`} tabIndex={-1}>
        {user_id}
      </Link>
    ),
    onPhone: true,
  },
  {
    id: "verified",
    label: "Verified",
    width: "110px",
    value: ({ verified }) => (verified ? "verified" : "unverified"),
    cell: ({ verified }) => <StatusTag state={verified ? "verified" : "unverified"} />,
    onPhone: true,
  },
  { id: "bot", label: "Kind", width: "90px", value: ({ bot }) => (bot ? "bot" : "person"), isExtra: true },
  timeColumn({ of: "last_seen_ts", label: "Last seen", width: "110px", sorts: ["-last_seen_ts", "last_seen_ts"] }),
  { id: "last_seen_ip", label: "From", width: "130px", value: ({ last_seen_ip }) => last_seen_ip },
  timeColumn({ of: "created_ts", label: "Since", width: "110px", isExtra: true }),
  questionColumn("What did it expose?", ({ user_id, device_id }) => ({
    question: "exposed",
    about: { user_id, device_id },
  })),
];

const filters: readonly Filter[] = [
  {
    name: "verified",
    label: "Verified",
    options: [
      { value: "false", label: "unverified" },
      { value: "true", label: "verified" },
    ],
  },
  {
    name: "unseen_days",
    label: "Not seen",
    options: [
      { value: "7", label: "for 7 days" },
      { value: "30", label: "for 30 days" },
      { value: "90", label: "for 90 days" },
    ],
  },
  {
    name: "bot",
    label: "Kind",
    options: [
      { value: "true", label: "bots" },
      { value: "false", label: "people" },
    ],
  },
];

export default function Devices() {
  return (
    <Screen title="Devices" fills>
      <DataTable
        label="Devices"
        path="/devices"
        columns={columns}
        rowId={({ user_id, device_id }) => `${user_id} ${device_id}`}
        linkOf={({ user_id }) => pathOf`/users/${user_id}/devices`}
        isSearchable
        filters={filters}
        bulk={[{ id: "end", label: "Sign out", icon: "leave", run: (devices) => ask(signOutDevices(devices)) }]}
        empty="Nobody is signed in on any device."
      />
    </Screen>
  );
}
