import { addressOf, call, pathOf } from "../../api.ts";
import { Section } from "../../frame/Screen.tsx";
import { useOperator } from "../../frame/context.ts";
import { type ListPage, useAnswer } from "../../model/queries.ts";
import { exactTime } from "../../model/time.ts";
import type { Act } from "../../parts/acts.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { Empty } from "../../parts/States.tsx";
import { SimpleTable, type SimpleTableProps } from "../../table/SimpleTable.tsx";
import { QuestionLink } from "../graph/QuestionLink.tsx";
import { RoomLinks, UserLinks } from "../rooms/links.tsx";
import type { LegalAccess, LegalExport } from "./shapes.ts";

const LOOK_MS = 3_000;
const ofWhat = ({ room_id, user_id }: LegalAccess) => (room_id ?? user_id) as string;

const about: SimpleTableProps<LegalAccess>["columns"] = [
  {
    id: "what",
    label: "To data of",
    value: ofWhat,
    cell: ({ room_id, user_id }) =>
      room_id ? <RoomLinks roomIds={[room_id]} /> : <UserLinks userIds={[user_id ?? ""]} />,
  },
  {
    id: "holder",
    label: "Who may export it",
    value: ({ holder }) => holder,
    cell: ({ holder }) => <UserLinks userIds={[holder]} />,
  },
  { id: "case", label: "Case", value: ({ case_reference }) => case_reference },
  { id: "reason", label: "Why", value: ({ reason }) => reason },
  { id: "by", label: "Granted by", value: ({ granted_by }) => granted_by },
];

const inForce = (userId: string): SimpleTableProps<LegalAccess>["columns"] => [
  ...about,
  { id: "until", label: "Until", value: ({ ends_ts }) => exactTime(ends_ts) },
  {
    id: "act",
    label: "Act",
    value: () => null,
    cell: (access) => (
      <>
        {access.holder === userId && (
          <ActButton needs="auditor" act={() => exportNow(access)}>
            Export
          </ActButton>
        )}
        <ActButton variant="quiet" needs="owner" act={() => end(access)}>
          End
        </ActButton>
      </>
    ),
  },
];

const over: SimpleTableProps<LegalAccess>["columns"] = [
  ...about,
  { id: "ended", label: "Ended", value: ({ ended_ts, ends_ts }) => exactTime(ended_ts ?? ends_ts) },
  { id: "ended_by", label: "By", value: ({ ended_by }) => ended_by ?? "its time" },
];

/** Who may export what the server has stored of somebody, by order of a court, and what was exported. */
export function Legal() {
  const { user_id: userId } = useOperator();
  const all = useAnswer<ListPage<LegalAccess>>("/legal/access", { query: { ended: "true" } });
  return (
    <Section
      title="Legal access"
      intro="What a named operator may export of a person or a room, for a case and until a day. What is encrypted stays so: the server has no keys."
      action={
        <ActButton needs="owner" act={() => grant(userId)}>
          Grant legal access
        </ActButton>
      }
    >
      <p>
        <QuestionLink question="taken" about={{}}>
          What has left the server, and who may take more?
        </QuestionLink>
      </p>
      <Shown answer={all}>{({ items }) => <Accesses items={items} userId={userId} />}</Shown>
    </Section>
  );
}

function Accesses({ items, userId }: { items: readonly LegalAccess[]; userId: string }) {
  const [open, ended] = [items.filter((each) => each.in_force), items.filter((each) => !each.in_force)];
  return (
    <>
      {open.length > 0 ? (
        <SimpleTable
          label="Legal access in force"
          items={open}
          columns={inForce(userId)}
          rowId={({ access_id }) => String(access_id)}
        />
      ) : (
        <Empty>No legal access is in force.</Empty>
      )}
      {open.map((access) => (
        <Exported key={access.access_id} access={access} isHolder={access.holder === userId} />
      ))}
      {ended.length > 0 && (
        <Section title="What is over">
          <SimpleTable
            label="Legal access that is over"
            items={ended}
            columns={over}
            rowId={({ access_id }) => String(access_id)}
          />
        </Section>
      )}
    </>
  );
}

const STATES = { making: "Being gathered", ready: "Ready", failed: "Failed" } as const;

const exportColumns = (path: string, isHolder: boolean): SimpleTableProps<LegalExport>["columns"] => [
  { id: "made", label: "Gathered", value: ({ created_ts }) => exactTime(created_ts) },
  { id: "state", label: "State", value: ({ state }) => STATES[state] },
  { id: "records", label: "Records", value: ({ records }) => records, atEnd: true },
  {
    id: "fetched",
    label: "Fetched",
    value: ({ fetches }) =>
      fetches.map(({ fetched_by, fetched_ts }) => `${fetched_by}, ${exactTime(fetched_ts)}`).join("; ") || "never",
  },
  {
    id: "fetch",
    label: "Archive",
    value: () => null,
    cell: ({ export_id, state }) =>
      state === "ready" && isHolder ? (
        <a href={addressOf(`${path}${pathOf`/${String(export_id)}/archive`}`)} download>
          Download
        </a>
      ) : (
        "–"
      ),
  },
];

/** What was exported under one, and who fetched it; nothing until something was. */
function Exported({ access: { access_id, case_reference }, isHolder }: { access: LegalAccess; isHolder: boolean }) {
  const path = pathOf`/legal/access/${String(access_id)}/exports`;
  const exports = useAnswer<ListPage<LegalExport>>(path, { every_ms: LOOK_MS });
  if (!exports.data || exports.data.items.length === 0) return null;
  return (
    <Section title={`Exports for ${case_reference}`}>
      <SimpleTable
        label={`Exports for ${case_reference}`}
        items={exports.data.items}
        columns={exportColumns(path, isHolder)}
        rowId={({ export_id }) => String(export_id)}
      />
    </Section>
  );
}

function grant(userId: string): Act<LegalAccess> {
  return {
    title: "Grant legal access",
    consequence:
      "Neither the person nor the members of the room are told. It stands in the audit log and in the access graph. Nothing is kept from being deleted by it: place a legal hold besides.",
    label: "Grant",
    asksReason: true,
    fields: [
      { name: "id", label: "Id of the room or the person", hint: "Such as !room:example.org or @ana:example.org" },
      { name: "holder", label: "Who may export it", hint: "An operator; an auditor is enough", initial: userId },
      { name: "case", label: "Case", hint: "The reference of the court or authority" },
      { name: "until", label: "Until", kind: "date" },
    ],
    run: ({ id = "", holder = "", case: case_reference, until = "", reason }) =>
      call("/legal/access", {
        method: "POST",
        body: {
          [id.trim().startsWith("@") ? "user_id" : "room_id"]: id.trim(),
          holder: holder.trim(),
          case_reference,
          ends_ts: Date.parse(until),
          reason,
        },
      }),
    done: "Legal access is granted.",
  };
}

function exportNow(access: LegalAccess): Act {
  return {
    title: `Export what the server has of ${ofWhat(access)}?`,
    consequence:
      "It is gathered by a worker, and can be downloaded below when it is ready, for seven days at the most.",
    label: "Export",
    asksReason: true,
    run: ({ reason }) =>
      call(pathOf`/legal/access/${String(access.access_id)}/exports`, { method: "POST", body: { reason } }),
    done: "It is being gathered.",
  };
}

function end(access: LegalAccess): Act {
  return {
    title: `End the legal access to data of ${ofWhat(access)}?`,
    consequence: `${access.holder} can neither export nor fetch anything under it any more. What was fetched is out.`,
    label: "End it",
    isDangerous: true,
    asksReason: true,
    run: ({ reason }) =>
      call(pathOf`/legal/access/${String(access.access_id)}/end`, { method: "POST", body: { reason } }),
    done: "The legal access is over.",
  };
}
