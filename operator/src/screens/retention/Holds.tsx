import { call, pathOf } from "../../api.ts";
import { Section } from "../../frame/Screen.tsx";
import { type ListPage, useAnswer } from "../../model/queries.ts";
import { exactTime } from "../../model/time.ts";
import type { Act } from "../../parts/acts.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { Empty } from "../../parts/States.tsx";
import { SimpleTable, type SimpleTableProps } from "../../table/SimpleTable.tsx";
import { RoomLinks, UserLinks } from "../rooms/links.tsx";
import type { Hold } from "./shapes.ts";

const columns: SimpleTableProps<Hold>["columns"] = [
  {
    id: "what",
    label: "Keeps",
    value: ({ room_id, user_id }) => room_id ?? user_id,
    cell: ({ room_id, user_id }) =>
      room_id ? <RoomLinks roomIds={[room_id]} /> : <UserLinks userIds={[user_id ?? ""]} />,
  },
  { id: "reason", label: "Why", value: ({ reason }) => reason },
  { id: "placed", label: "Since", value: ({ placed_ts }) => exactTime(placed_ts) },
  { id: "by", label: "By", value: ({ placed_by }) => placed_by },
  {
    id: "act",
    label: "Act",
    value: () => null,
    cell: (hold) => (
      <ActButton variant="quiet" needs="owner" act={() => release(hold)}>
        Release
      </ActButton>
    ),
  },
];

/** What must not be deleted, whatever a policy says. */
export function Holds() {
  const holds = useAnswer<ListPage<Hold>>("/retention/holds");
  return (
    <Section
      title="Legal holds"
      intro="What a hold keeps is deleted by no policy, no purge and no deletion of files. It does not keep people from redacting what they wrote."
      action={<ActButton act={place}>Place a hold</ActButton>}
    >
      <Shown answer={holds}>
        {({ items }) =>
          items.length > 0 ? (
            <SimpleTable label="Legal holds" items={items} columns={columns} rowId={({ hold_id }) => String(hold_id)} />
          ) : (
            <Empty>There is no legal hold.</Empty>
          )
        }
      </Shown>
    </Section>
  );
}

function place(): Act<Hold> {
  return {
    title: "Place a legal hold",
    consequence: "Of a room: all that is in it. Of a person: all that they wrote and uploaded.",
    label: "Place the hold",
    asksReason: true,
    fields: [
      { name: "id", label: "Id of the room or the person", hint: "Such as !room:example.org or @ana:example.org" },
    ],
    run: ({ id = "", reason }) =>
      call("/retention/holds", {
        method: "POST",
        body: { [id.trim().startsWith("@") ? "user_id" : "room_id"]: id.trim(), reason },
      }),
    done: "The hold is placed.",
  };
}

function release({ hold_id, room_id, user_id }: Hold): Act {
  return {
    title: `Release the hold on ${room_id ?? user_id}?`,
    consequence: "What is over its time goes with the next run, and only a backup brings it back.",
    label: "Release",
    isDangerous: true,
    asksReason: true,
    run: ({ reason }) =>
      call(pathOf`/retention/holds/${String(hold_id)}/release`, { method: "POST", body: { reason } }),
    done: "The hold is released.",
  };
}
