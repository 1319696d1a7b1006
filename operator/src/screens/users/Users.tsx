import { pathOf } from "../../api.ts";
import { Screen } from "../../frame/Screen.tsx";
import type { Filter } from "../../model/search.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { ask } from "../../parts/acts.ts";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { DataTable } from "../../table/DataTable.tsx";
import { timeColumn } from "../../table/timeColumn.tsx";
import type { Column } from "../../table/types.ts";
import { inviteUser, suspendUsers, unsuspendUsers } from "./acts.tsx";
import type { User } from "./shapes.ts";

const columns: readonly Column<User>[] = [
  {
    id: "user_id",
    label: "User",
    width: "minmax(180px, 2fr)",
    value: ({ user_id }) => user_id,
    onPhone: true,
    sorts: ["user_id"],
  },
  { id: "display_name", label: "Name", width: "minmax(140px, 1.4fr)", value: ({ display_name }) => display_name },
  {
    id: "emails",
    label: "E-mail",
    width: "minmax(160px, 1.4fr)",
    value: ({ emails }) => emails.join(", "),
  },
  { id: "role", label: "Role", width: "100px", value: ({ role }) => role },
  {
    id: "status",
    label: "Status",
    width: "120px",
    value: ({ status }) => status,
    cell: ({ status }) => (status === "active" ? "active" : <StatusTag state={status} />),
    onPhone: true,
  },
  { id: "source", label: "Source", width: "90px", value: ({ source }) => source, isExtra: true },
  { id: "devices", label: "Devices", width: "80px", value: ({ devices }) => devices, atEnd: true },
  timeColumn({ of: "last_seen_ts", label: "Last seen", width: "110px", sorts: ["-last_seen_ts", "last_seen_ts"] }),
  timeColumn({ of: "created_ts", label: "Joined", width: "110px", sorts: ["-created_ts", "created_ts"] }),
];

const filters: readonly Filter[] = [
  {
    name: "status",
    label: "Status",
    options: ["active", "suspended", "read_only", "deactivated"].map((value) => ({
      value,
      label: value.replace("_", " "),
    })),
  },
  {
    name: "role",
    label: "Role",
    options: [
      { value: "any", label: "any operator" },
      { value: "auditor", label: "auditor" },
      { value: "operator", label: "operator" },
      { value: "owner", label: "owner" },
    ],
  },
];

export default function Users() {
  return (
    <Screen
      title="Users"
      action={
        <ActButton act={inviteUser} variant="primary" size="default" icon="personAdd">
          Make an account
        </ActButton>
      }
      fills
    >
      <DataTable
        label="Users"
        path="/users"
        columns={columns}
        rowId={({ user_id }) => user_id}
        linkOf={({ user_id }) => pathOf`/users/${user_id}`}
        isSearchable
        filters={filters}
        bulk={[
          { id: "suspend", label: "Suspend", icon: "ban", run: (users) => ask(suspendUsers(users)) },
          { id: "unsuspend", label: "Let in again", run: (users) => ask(unsuspendUsers(users)) },
        ]}
        empty="There is nobody yet. People come by a registration token or, where that is open, by themselves."
      />
    </Screen>
  );
}
