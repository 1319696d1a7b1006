import { call, pathOf } from "../../api.ts";
import { exactTime } from "../../model/time.ts";
import type { Act } from "../../parts/acts.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { DataTable } from "../../table/DataTable.tsx";
import type { Column } from "../../table/types.ts";
import { daysOf, lengthIn, type RoomPolicy } from "./shapes.ts";

const columns: readonly Column<RoomPolicy>[] = [
  { id: "room_id", label: "Room", width: "minmax(200px, 2fr)", value: ({ room_id }) => room_id, onPhone: true },
  {
    id: "kept",
    label: "Kept for",
    width: "120px",
    value: ({ max_lifetime_ms }) => daysOf(max_lifetime_ms),
    onPhone: true,
  },
  { id: "by", label: "Set by", width: "minmax(140px, 1fr)", value: ({ changed_by }) => changed_by },
  { id: "at", label: "Set", width: "190px", value: ({ changed_ts }) => exactTime(changed_ts) },
  {
    id: "act",
    label: "Act",
    width: "110px",
    value: () => null,
    cell: (policy) => (
      <ActButton variant="quiet" act={() => drop(policy)}>
        Take back
      </ActButton>
    ),
  },
];

/** Rooms whose messages an operator keeps longer or shorter than the server and the room say. */
export function RoomPolicies() {
  return (
    <DataTable
      label="Policies of rooms"
      path="/retention/rooms"
      columns={columns}
      rowId={({ room_id }) => room_id}
      linkOf={({ room_id }) => pathOf`/rooms/${room_id}`}
      empty="No room has a policy of its own from an operator."
      emptyAction={<ActButton act={setRoomPolicy}>Set one</ActButton>}
    />
  );
}

export function setRoomPolicy(): Act {
  return {
    title: "Policy of one room",
    consequence:
      "It counts whatever the room and the server say, with the next daily run. Only a backup brings back what that deletes.",
    label: "Set",
    isDangerous: true,
    asksReason: true,
    fields: [
      { name: "room_id", label: "Room id" },
      {
        name: "days",
        label: "Messages are kept for (days)",
        kind: "number",
        isOptional: true,
        hint: "Empty: for ever.",
      },
    ],
    run: ({ room_id = "", days, reason }) =>
      call(pathOf`/retention/rooms/${room_id.trim()}`, {
        method: "PUT",
        body: { max_lifetime_ms: lengthIn(days), reason },
      }),
    done: "The room's policy is set.",
  };
}

function drop({ room_id }: RoomPolicy): Act {
  return {
    title: `Take the policy of ${room_id} back?`,
    consequence:
      "What the room and the server say counts again, with the next daily run. Only a backup brings back what that deletes.",
    label: "Take back",
    isDangerous: true,
    asksReason: true,
    run: ({ reason }) => call(pathOf`/retention/rooms/${room_id}`, { method: "DELETE", query: { reason } }),
    done: "The room's policy is taken back.",
  };
}
