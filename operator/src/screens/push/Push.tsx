import { call, pathOf } from "../../api.ts";
import { Screen } from "../../frame/Screen.tsx";
import type { Filter } from "../../model/search.ts";
import { type Act, ask } from "../../parts/acts.ts";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { count, grouped } from "../../parts/words.ts";
import { DataTable } from "../../table/DataTable.tsx";
import { timeColumn } from "../../table/timeColumn.tsx";
import type { Column } from "../../table/types.ts";

/** Where the notifications of a device go (server/src/push/operations.ts). */
interface Pusher {
  pusher_id: number;
  user_id: string;
  kind: string;
  app_id: string;
  app: string;
  device: string;
  host: string | null;
  waiting: number;
  failures: number;
  failing_since_ts: number | null;
  retry_ts: number | null;
  set_ts: number;
}

const LOOK_MS = 10_000;

const stateOf = ({ failing_since_ts }: Pusher) => (failing_since_ts === null ? "well" : "failing");

const columns: readonly Column<Pusher>[] = [
  { id: "user_id", label: "Whose", width: "minmax(160px, 1.4fr)", value: ({ user_id }) => user_id, onPhone: true },
  { id: "device", label: "Device", width: "minmax(120px, 1.2fr)", value: ({ device }) => device },
  { id: "app", label: "App", width: "minmax(100px, 1fr)", value: ({ app }) => app },
  { id: "host", label: "Goes to", width: "minmax(140px, 1.4fr)", value: ({ host }) => host },
  {
    id: "state",
    label: "State",
    width: "80px",
    value: stateOf,
    cell: (one) => <StatusTag state={stateOf(one)} />,
    onPhone: true,
  },
  timeColumn({ of: "failing_since_ts", id: "failing", label: "Failing since", width: "110px" }),
  { id: "failures", label: "Failures", width: "80px", value: ({ failures }) => failures, atEnd: true },
  {
    id: "waiting",
    label: "Waiting",
    width: "80px",
    value: ({ waiting }) => waiting,
    cell: ({ waiting }) => grouped(waiting),
    atEnd: true,
  },
  { id: "kind", label: "Kind", width: "90px", value: ({ kind }) => kind, isExtra: true },
  { id: "app_id", label: "App id", width: "minmax(120px, 1fr)", value: ({ app_id }) => app_id, isExtra: true },
  { ...timeColumn({ of: "retry_ts", id: "retry", label: "Next try", width: "90px" }), isExtra: true },
  timeColumn({ of: "set_ts", id: "set", label: "Set", width: "80px" }),
];

const filters: readonly Filter[] = [
  { name: "user_id", label: "Whose" },
  {
    name: "failing",
    label: "State",
    options: [
      { value: "true", label: "Failing" },
      { value: "false", label: "Well" },
    ],
  },
];

/** Which devices are notified while their app is closed, and where that fails. */
export default function Push() {
  return (
    <Screen title="Push notifications" fills>
      <DataTable
        label="Pushers"
        path="/pushers"
        columns={columns}
        rowId={({ pusher_id }) => String(pusher_id)}
        linkOf={({ user_id }) => pathOf`/users/${user_id}`}
        filters={filters}
        bulk={[
          { id: "retry", label: "Try now", icon: "refresh", run: (pushers) => ask(tryNow(pushers)) },
          { id: "remove", label: "Remove", icon: "trash", run: (pushers) => ask(remove(pushers)) },
        ]}
        every_ms={LOOK_MS}
        empty="Nobody has asked to be notified while their app is closed."
      />
    </Screen>
  );
}

function tryNow(pushers: readonly Pusher[]): Act {
  const waiting = pushers.reduce((sum, each) => sum + each.waiting, 0);
  return {
    title: `Try ${count(pushers.length, "gateway")} now?`,
    consequence: `${count(waiting, "notification")} ${waiting === 1 ? "waits" : "wait"}. Where the cause is still there the pause begins anew, and is twice as long.`,
    label: "Try now",
    run: () => forEach(pushers, "retry", {}),
    done: "The gateways are tried.",
  };
}

function remove(pushers: readonly Pusher[]): Act {
  return {
    title: `Remove ${count(pushers.length, "pusher")}?`,
    consequence:
      "Their devices are told of nothing while their app is closed, until it sets them again: most do at their next start. Nothing else changes for them.",
    label: "Remove",
    isDangerous: true,
    asksReason: true,
    run: ({ reason }) => forEach(pushers, "remove", { reason }),
    done: `Removed ${count(pushers.length, "pusher")}.`,
  };
}

async function forEach(pushers: readonly Pusher[], act: "retry" | "remove", body: object): Promise<void> {
  for (const { pusher_id } of pushers)
    await call(pathOf`/pushers/${String(pusher_id)}/${act}`, { method: "POST", body });
}
