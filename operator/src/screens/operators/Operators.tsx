import { pathOf } from "../../api.ts";
import { Screen } from "../../frame/Screen.tsx";
import type { Act } from "../../parts/acts.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { DataTable } from "../../table/DataTable.tsx";
import { timeColumn } from "../../table/timeColumn.tsx";
import type { Column } from "../../table/types.ts";
import { setRole } from "../users/acts.tsx";
import type { User } from "../users/shapes.ts";

const columns: readonly Column<User>[] = [
  { id: "user_id", label: "Operator", width: "minmax(180px, 2fr)", value: ({ user_id }) => user_id, onPhone: true },
  { id: "display_name", label: "Name", width: "minmax(140px, 1.4fr)", value: ({ display_name }) => display_name },
  { id: "role", label: "Role", width: "120px", value: ({ role }) => role, onPhone: true },
  {
    id: "status",
    label: "Status",
    width: "120px",
    value: ({ status }) => status,
    cell: ({ status }) => (status === "active" ? "active" : <StatusTag state={status} />),
  },
  timeColumn({ of: "last_seen_ts", label: "Last seen", width: "110px" }),
  {
    id: "act",
    label: "Act",
    width: "130px",
    value: () => null,
    cell: (user) => (
      <ActButton variant="quiet" needs="owner" act={() => setRole(user)}>
        Change role
      </ActButton>
    ),
  },
];

export default function Operators() {
  return (
    <Screen
      title="Operators and roles"
      detail="Auditors read, operators act, owners decide about operators, settings and keys."
      action={
        <ActButton variant="primary" size="default" needs="owner" act={addOperator}>
          Add
        </ActButton>
      }
      fills
    >
      <DataTable
        label="Operators"
        path="/users"
        query={{ role: "any" }}
        columns={columns}
        rowId={({ user_id }) => user_id}
        linkOf={({ user_id }) => pathOf`/users/${user_id}`}
        empty="There is no operator."
      />
    </Screen>
  );
}

/** Gives somebody a role who has none. */
function addOperator(): Act {
  const { fields = [], ...act } = setRole({ user_id: "", role: "operator" });
  return {
    ...act,
    title: "Make somebody an operator",
    consequence: "It counts at once. The person signs in here with their own password.",
    label: "Add",
    fields: [{ name: "user_id", label: "User id", hint: "Such as @ana:example.org" }, ...fields],
    done: "The person is an operator now.",
    run: (values) => setRole({ user_id: (values["user_id"] ?? "").trim(), role: null }).run(values),
    undo: (_, values) =>
      setRole({ user_id: (values["user_id"] ?? "").trim(), role: null }).run({ role: "none", reason: "Taken back" }),
  };
}
