import { Notice } from "../../../../web/src/ui/Notice.tsx";
import { Section } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import { exactTime, lengthOf } from "../../model/time.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { Fact, Facts } from "../../parts/Facts.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { Empty } from "../../parts/States.tsx";
import { StatusTag } from "../../parts/StatusTag.tsx";
import { Time } from "../../parts/Time.tsx";
import { count, sizeOf } from "../../parts/words.ts";
import { SimpleTable, type SimpleTableProps } from "../../table/SimpleTable.tsx";
import { findMissed } from "./acts.tsx";
import { type Counted, moneyOf, type Plan, type PlanItem, type Status } from "./shapes.ts";
import styles from "./Overview.module.css";

const LOOK_MS = 15_000;
/** Nobody has handled anything for so long: whoever should is not there, or fails. */
const STALLED_S = 900;

/** What is billed, and how the work on it goes. */
export function Overview() {
  const status = useAnswer<Status>("/billing", { every_ms: LOOK_MS });
  return (
    <Shown answer={status}>
      {(data) =>
        data.configured ? (
          <>
            <Troubles status={data} />
            <PlanSection plan={data.plan} />
            <UsageSection status={data} />
            <NextInvoice status={data} />
            <Work status={data} />
          </>
        ) : (
          <Empty>Billing is off: no setting of Stripe&apos;s is set. Nothing in Parley depends on it.</Empty>
        )
      }
    </Shown>
  );
}

function Troubles({ status: { delinquent, failed_payments, work } }: { status: Status }) {
  return (
    <div className={styles["troubles"]}>
      {delinquent && (
        <Notice tone="warn" title="A payment is due">
          Stripe counts the customer as delinquent
          {failed_payments > 0 && ` after ${count(failed_payments, "failed payment")} in 30 days`}. Nobody on this
          server is kept from anything by that.
        </Notice>
      )}
      {work.oldest_waiting_s >= STALLED_S && (
        <Notice tone="danger" title="Events are not handled">
          The oldest has waited for {lengthOf(work.oldest_waiting_s * 1_000)}.{" "}
          {work.lease_ts === null
            ? "No worker has the lease: is a process with the role worker running?"
            : "See Events for why."}
        </Notice>
      )}
      {work.dead > 0 && (
        <Notice tone="danger" title={`${count(work.dead, "event was", "events were")} not handled`}>
          Every attempt failed. Not handled has them, to be tried again or left.
        </Notice>
      )}
    </div>
  );
}

const itemColumns: SimpleTableProps<PlanItem>["columns"] = [
  { id: "for", label: "For", value: ({ is_for }) => is_for ?? "something else" },
  { id: "name", label: "Price", value: ({ name, price_id }) => name ?? price_id },
  {
    id: "unit",
    label: "Each",
    value: ({ unit_amount, currency }) =>
      unit_amount === null || currency === null ? "–" : moneyOf(unit_amount, currency),
    atEnd: true,
  },
  { id: "quantity", label: "Quantity", value: ({ quantity }) => quantity ?? "–", atEnd: true },
];

function PlanSection({ plan }: { plan: Plan | null }) {
  return (
    <Section title="Plan">
      {plan === null ? (
        <Empty>Stripe has told of no subscription yet.</Empty>
      ) : (
        <>
          <Facts>
            <Fact name="Subscription">{plan.subscription_id}</Fact>
            <Fact name="State">
              <StatusTag state={plan.status} />
            </Fact>
            <Fact name="Period">
              {plan.period_start_ts !== null &&
                plan.period_end_ts !== null &&
                `${exactTime(plan.period_start_ts)} to ${exactTime(plan.period_end_ts)}`}
            </Fact>
            {plan.trial_end_ts !== null && <Fact name="Trial ends">{exactTime(plan.trial_end_ts)}</Fact>}
            {(plan.cancel_at_period_end || plan.cancel_ts !== null) && (
              <Fact name="Ends">{plan.cancel_ts === null ? "with the period" : exactTime(plan.cancel_ts)}</Fact>
            )}
          </Facts>
          <SimpleTable label="Prices" items={plan.items} columns={itemColumns} rowId={({ price_id }) => price_id} />
        </>
      )}
    </Section>
  );
}

interface UsageRow {
  name: string;
  measured: string;
  billed: string;
  usage: Counted;
}

const usageColumns: SimpleTableProps<UsageRow>["columns"] = [
  { id: "name", label: "What", value: ({ name }) => name },
  { id: "measured", label: "Counted", value: ({ measured }) => measured, atEnd: true },
  { id: "billed", label: "Billed", value: ({ billed }) => billed, atEnd: true },
  { id: "day", label: "On (UTC)", value: ({ usage }) => usage.day },
  {
    id: "state",
    label: "Stripe",
    value: ({ usage }) => usage.state,
    cell: ({ usage: { state, reported_ts, last_error } }) =>
      reported_ts === null ? (
        <>
          <StatusTag state={state} /> {last_error}
        </>
      ) : (
        <>
          knows it since <Time at_ms={reported_ts} />
        </>
      ),
  },
];

function UsageSection({ status: { seats, storage } }: { status: Status }) {
  const rows: UsageRow[] = [
    ...(seats
      ? [
          {
            name: "Seats",
            measured: count(seats.measured, "person", "people"),
            billed: String(seats.quantity),
            usage: seats,
          },
        ]
      : []),
    ...(storage
      ? [{ name: "Storage", measured: sizeOf(storage.measured), billed: `${storage.quantity} GiB`, usage: storage }]
      : []),
  ];
  return (
    <Section
      title="Usage"
      intro="A seat is a person who was active in the last 30 days. Both are counted once a day, without a look at any content."
    >
      {rows.length === 0 ? (
        <Empty>Nothing has been counted yet: a worker counts once a day.</Empty>
      ) : (
        <SimpleTable label="Usage" items={rows} columns={usageColumns} rowId={({ name }) => name} />
      )}
    </Section>
  );
}

function NextInvoice({ status: { next_invoice: next, next_invoice_error: error } }: { status: Status }) {
  return (
    <Section title="Next invoice">
      {next === null ? (
        <p>Stripe does not say{error === null ? "." : `: ${error}`}</p>
      ) : (
        <Facts>
          <Fact name="Total">{moneyOf(next.total, next.currency)}</Fact>
          <Fact name="To be paid">{moneyOf(next.amount_due, next.currency)}</Fact>
          <Fact name="On">{next.due_ts === null ? null : exactTime(next.due_ts)}</Fact>
        </Facts>
      )}
    </Section>
  );
}

function Work({ status: { work } }: { status: Status }) {
  return (
    <Section
      title="Work"
      intro="One process at a time handles events and reports usage."
      action={<ActButton act={findMissed}>Look for missed events</ActButton>}
    >
      <Facts>
        <Fact name="Worker">{work.lease_ts === null ? "none has the lease" : "at work"}</Fact>
        <Fact name="Waiting">
          {count(work.waiting, "handler run")}
          {work.oldest_waiting_s > 0 && `, the oldest for ${lengthOf(work.oldest_waiting_s * 1_000)}`}
        </Fact>
        <Fact name="Not handled">{count(work.dead, "event")}</Fact>
        <Fact name="Stripe's list read">{work.stream_ts === null ? "never" : <Time at_ms={work.stream_ts} />}</Fact>
      </Facts>
    </Section>
  );
}
