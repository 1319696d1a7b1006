import { pathOf } from "../../api.ts";
import { Section } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import { exactTime } from "../../model/time.ts";
import { useAddress } from "../../model/useSearch.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { Fact, Facts } from "../../parts/Facts.tsx";
import { Sheet } from "../../parts/Sheet.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { Empty } from "../../parts/States.tsx";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { grouped, sizeOf } from "../../parts/words.ts";
import { DataTable } from "../../table/DataTable.tsx";
import { SimpleTable, type SimpleTableProps } from "../../table/SimpleTable.tsx";
import { timeColumn } from "../../table/timeColumn.tsx";
import type { Column } from "../../table/types.ts";
import { pingService, sendNow } from "./service-acts.ts";
import type { Registration, Service } from "./shapes.ts";

const LOOK_MS = 10_000;

const columns: readonly Column<Service>[] = [
  { id: "id", label: "Service", width: "minmax(140px, 1fr)", value: ({ id }) => id, onPhone: true },
  {
    id: "state",
    label: "State",
    width: "90px",
    value: ({ state }) => state,
    cell: ({ state }) => <StatusTag state={state} />,
    onPhone: true,
  },
  { id: "url", label: "Address", width: "minmax(160px, 1.2fr)", value: ({ url }) => url },
  { id: "backlog", label: "Behind", width: "90px", value: ({ backlog }) => backlog, cell: behind, atEnd: true },
  timeColumn({ of: "sent_ts", id: "sent", label: "Last taken", width: "100px" }),
  timeColumn({ of: "failing_since_ts", id: "failing", label: "Failing since", width: "110px" }),
  { id: "error", label: "What is wrong", width: "minmax(160px, 2fr)", value: ({ error }) => error },
  { id: "sender", label: "Its user", width: "minmax(140px, 1fr)", value: ({ sender }) => sender, isExtra: true },
];

function behind({ backlog }: Service): string {
  return backlog === null ? "–" : grouped(backlog);
}

/** Bridges and other services that files register. One that is pressed shows what it may, and how far it was sent the log. */
export function Services() {
  const { search, set } = useAddress();
  const { open, ...rest } = search;
  return (
    <>
      <DataTable
        label="Application services"
        path="/appservices"
        columns={columns}
        rowId={({ id }) => id}
        onOpen={({ id }) => set({ ...search, open: id }, { isStep: true })}
        isSearchable
        every_ms={LOOK_MS}
        empty="No application service is registered. The setting PARLEY_APPSERVICES names the files that a bridge makes."
      />
      {open !== undefined && <ServiceSheet id={open} onClose={() => set(rest)} />}
    </>
  );
}

function ServiceSheet({ id, onClose }: { id: string; onClose: () => void }) {
  const service = useAnswer<Registration>(pathOf`/appservices/${id}`, { every_ms: LOOK_MS });
  const { data } = service;
  return (
    <Sheet
      title={id}
      onClose={onClose}
      actions={
        data?.url && (
          <>
            <ActButton act={() => pingService(data)}>Ping</ActButton>
            <ActButton act={() => sendNow(data)}>Send now</ActButton>
          </>
        )
      }
    >
      <Shown answer={service}>
        {(found) => (
          <>
            <Place service={found} />
            <Section title="Namespaces" intro="Names that it acts for. Exclusive ones are closed to everybody else.">
              <Namespaces namespaces={found.namespaces} />
            </Section>
          </>
        )}
      </Shown>
    </Sheet>
  );
}

function Place({ service }: { service: Registration }) {
  const { position, backlog, transactions, waiting_bytes, failures, failing_since_ts, retry_ts } = service;
  return (
    <Facts>
      <Fact name="State">
        <StatusTag state={service.state} />
      </Fact>
      <Fact name="Address">{service.url ?? "None: nothing is sent to it"}</Fact>
      <Fact name="Its user">{service.sender}</Fact>
      <Fact name="Place in the log">
        {position !== null && `After entry ${grouped(position)}; ${grouped(backlog ?? 0)} follow`}
      </Fact>
      <Fact name="Last transaction taken">{service.sent_ts !== null && exactTime(service.sent_ts)}</Fact>
      <Fact name="Waiting">
        {waiting_bytes === null ? "Nothing" : `Transaction ${transactions}, ${sizeOf(waiting_bytes)}`}
      </Fact>
      {failures > 0 && failing_since_ts !== null && (
        <>
          <Fact name="Failing">
            {grouped(failures)} times since {exactTime(failing_since_ts)}
          </Fact>
          <Fact name="What is wrong">{service.error}</Fact>
          <Fact name="Next try">{retry_ts === null ? "Now" : exactTime(retry_ts)}</Fact>
        </>
      )}
      <Fact name="Is sent besides events">{besides(service)}</Fact>
      <Fact name="Networks">{service.protocols.join(", ")}</Fact>
      <Fact name="Rate limits">{service.rate_limited ? "As everybody" : "None"}</Fact>
    </Facts>
  );
}

function besides({ takes_ephemeral, takes_encryption }: Registration): string {
  const parts = [takes_ephemeral && "receipts, typing, presence", takes_encryption && "devices and keys of its users"];
  return parts.filter((part) => part !== false).join("; ");
}

type Namespace = { of: string; regex: string; exclusive: boolean };

const namespaceColumns: SimpleTableProps<Namespace>["columns"] = [
  { id: "of", label: "Of", value: ({ of }) => of },
  { id: "regex", label: "Pattern", value: ({ regex }) => regex, cell: ({ regex }) => <code>{regex}</code> },
  { id: "exclusive", label: "Exclusive", value: ({ exclusive }) => (exclusive ? "yes" : "no") },
];

function Namespaces({ namespaces }: Pick<Registration, "namespaces">) {
  const rows = Object.entries(namespaces).flatMap(([of, list]) => list.map((each) => ({ of, ...each })));
  return rows.length > 0 ? (
    <SimpleTable
      label="Namespaces"
      items={rows}
      columns={namespaceColumns}
      rowId={({ of, regex, exclusive }) => `${of} ${regex} ${exclusive}`}
    />
  ) : (
    <Empty>It has none: it acts as its own user alone.</Empty>
  );
}
