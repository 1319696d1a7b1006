import { pathOf } from "../../api.ts";
import { Section } from "../../frame/Screen.tsx";
import { type ListPage, useAnswer } from "../../model/queries.ts";
import { exactTime } from "../../model/time.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { Empty } from "../../parts/States.tsx";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { Time } from "../../parts/Time.tsx";
import { SimpleTable, type SimpleTableProps } from "../../table/SimpleTable.tsx";
import { signOutDevices, signOutEverywhere } from "../devices/acts.tsx";
import type { Device } from "../devices/shapes.ts";
import { QuestionLink } from "../graph/QuestionLink.tsx";

const columns: SimpleTableProps<Device>["columns"] = [
  {
    id: "device",
    label: "Device",
    value: ({ device_id }) => device_id,
    cell: ({ display_name, device_id }) => (
      <>
        {display_name ?? "Without a name"} <code>{device_id}</code>
      </>
    ),
  },
  {
    id: "verified",
    label: "Verified",
    value: ({ verified }) => verified,
    cell: ({ verified }) => <StatusTag state={verified ? "verified" : "unverified"} />,
  },
  {
    id: "seen",
    label: "Last seen",
    value: ({ last_seen_ts }) => last_seen_ts,
    cell: ({ last_seen_ts }) => <Time at_ms={last_seen_ts} />,
  },
  { id: "from", label: "From", value: ({ last_seen_ip }) => last_seen_ip ?? "–" },
  {
    id: "since",
    label: "Signed in",
    value: ({ created_ts }) => created_ts,
    cell: ({ created_ts }) => exactTime(created_ts),
  },
  {
    id: "ask",
    label: "Ask",
    value: () => null,
    cell: ({ user_id, device_id }) => (
      <QuestionLink question="exposed" about={{ user_id, device_id }}>
        What did it expose?
      </QuestionLink>
    ),
  },
  {
    id: "act",
    label: "Act",
    value: () => null,
    cell: (device) => (
      <ActButton variant="quiet" act={() => signOutDevices([device])}>
        Sign out
      </ActButton>
    ),
  },
];

/** The devices on which a person is signed in: each is a session. */
export function UserDevices({ userId }: { userId: string }) {
  const devices = useAnswer<ListPage<Device>>(pathOf`/users/${userId}/sessions`);
  const count = devices.data?.items.length ?? 0;
  return (
    <Section
      title="Devices and their sessions"
      intro="Each device is one session. Signing it out ends both, and takes its keys away."
      action={count > 0 && <ActButton act={() => signOutEverywhere(userId, count)}>Sign out everywhere</ActButton>}
    >
      <Shown answer={devices}>
        {({ items }) =>
          items.length > 0 ? (
            <SimpleTable label="Devices" items={items} columns={columns} rowId={({ device_id }) => device_id} />
          ) : (
            <Empty>The person is signed in nowhere.</Empty>
          )
        }
      </Shown>
    </Section>
  );
}
