import { useAnswer, type ListPage } from "../../model/queries.ts";
import type { Filter } from "../../model/search.ts";
import { exactTime } from "../../model/time.ts";
import { useAddress } from "../../model/useSearch.ts";
import { ask } from "../../parts/acts.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { Fact, Facts } from "../../parts/Facts.tsx";
import { Sheet } from "../../parts/Sheet.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { Empty } from "../../parts/States.tsx";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { DataTable } from "../../table/DataTable.tsx";
import { SimpleTable, type SimpleTableProps } from "../../table/SimpleTable.tsx";
import { timeColumn } from "../../table/timeColumn.tsx";
import type { Column } from "../../table/types.ts";
import { replay, replayRange } from "./acts.tsx";
import type { BillingEvent, Delivery } from "./shapes.ts";

const OPEN_MS = 3_000;

const columns: readonly Column<BillingEvent>[] = [
  { id: "type", label: "What", width: "minmax(180px, 2fr)", value: ({ type }) => type, onPhone: true },
  { id: "object_id", label: "About", width: "minmax(120px, 1fr)", value: ({ object_id }) => object_id },
  {
    id: "state",
    label: "State",
    width: "110px",
    value: ({ state }) => state,
    cell: ({ state }) => <StatusTag state={state} />,
    onPhone: true,
  },
  {
    id: "source",
    label: "Came by",
    width: "100px",
    value: ({ source }) => (source === "webhook" ? "webhook" : "Stripe's list"),
  },
  { id: "event_id", label: "Event", width: "minmax(140px, 1fr)", value: ({ event_id }) => event_id },
  timeColumn({ of: "created_ts", label: "Made", width: "90px" }),
];

const options = (...values: readonly string[]) => values.map((value) => ({ value, label: value }));

const filters: readonly Filter[] = [
  { name: "state", label: "State", options: options("waiting", "handled", "dead", "discarded", "unhandled") },
  {
    name: "source",
    label: "Came by",
    options: [
      { value: "webhook", label: "webhook" },
      { value: "stream", label: "Stripe's list" },
    ],
  },
];

/** What Stripe told, and what came of it. Bodies are not shown. */
export function Events() {
  const { search, set } = useAddress();
  const { open, ...rest } = search;
  return (
    <>
      <DataTable
        label="Events"
        path="/billing/events"
        columns={columns}
        rowId={({ event_id }) => event_id}
        onOpen={({ event_id }) => set({ ...search, open: event_id }, { isStep: true })}
        isSearchable
        filters={filters}
        bulk={[{ id: "replay", label: "Replay", icon: "refresh", run: (events) => ask(replay(events)) }]}
        empty="No event has arrived yet. Stripe sends them to /api/v1/billing/events."
        emptyAction={<ActButton act={replayRange}>Replay a time</ActButton>}
      />
      {open !== undefined && <EventSheet eventId={open} onClose={() => set(rest)} />}
    </>
  );
}

const deliveryColumns: SimpleTableProps<Delivery>["columns"] = [
  { id: "handler", label: "Handler", value: ({ handler }) => handler },
  { id: "state", label: "State", value: ({ state }) => state, cell: ({ state }) => <StatusTag state={state} /> },
  { id: "attempts", label: "Attempts", value: ({ attempts }) => attempts, atEnd: true },
  { id: "changes", label: "Changed", value: ({ changes }) => (changes === 0 ? "nothing" : "something") },
  {
    id: "when",
    label: "When",
    value: ({ settled_ts, due_ts }) => settled_ts ?? due_ts,
    cell: ({ settled_ts, due_ts }) => exactTime(settled_ts ?? due_ts),
  },
];

function EventSheet({ eventId, onClose }: { eventId: string; onClose: () => void }) {
  const page = useAnswer<ListPage<BillingEvent>>("/billing/events", { query: { q: eventId }, every_ms: OPEN_MS });
  const event = page.data?.items.find(({ event_id }) => event_id === eventId);
  return (
    <Sheet
      title={eventId}
      onClose={onClose}
      actions={event && <ActButton act={() => replay([event])}>Replay</ActButton>}
    >
      <Shown answer={page}>{() => (event ? <About event={event} /> : <Empty>There is no such event.</Empty>)}</Shown>
    </Sheet>
  );
}

function About({ event }: { event: BillingEvent }) {
  const failed = event.deliveries.filter(({ last_error }) => last_error !== null);
  return (
    <>
      <Facts>
        <Fact name="What">{event.type}</Fact>
        <Fact name="About">{event.object_id}</Fact>
        <Fact name="State">
          <StatusTag state={event.state} />
        </Fact>
        <Fact name="Made at Stripe">{exactTime(event.created_ts)}</Fact>
        <Fact name="Arrived">{exactTime(event.received_ts)}</Fact>
        <Fact name="Came by">
          {event.source === "webhook" ? "webhook" : "Stripe's list: its webhook never arrived"}
        </Fact>
        {failed.map(({ handler, last_error }) => (
          <Fact key={handler} name={`Why ${handler} failed`}>
            {last_error}
          </Fact>
        ))}
      </Facts>
      {event.deliveries.length > 0 ? (
        <SimpleTable
          label="Handlers"
          items={event.deliveries}
          columns={deliveryColumns}
          rowId={({ handler }) => handler}
        />
      ) : (
        <Empty>Nothing is done about events of this type.</Empty>
      )}
    </>
  );
}
