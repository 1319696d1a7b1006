/**
 * What the customer has, as it is: Stripe's list of events has 30 days of them, so that of a subscription that began before that, and
 * of what changed while no Parley ran for longer, no event tells. It is looked through once at the beginning, and once a day.
 */
import type Stripe from "stripe";
import type { Db } from "../db/database.ts";
import { limits } from "../limits.ts";
import type { Preparing } from "./apply.ts";
import { fenced, type Lease, LeaseLost } from "./lease.ts";
import { answeredAt_s, fetchObject, keepObject, type ObjectKind, type Snapshot, snapshotOf } from "./objects.ts";

export interface Looking {
  db: Db;
  stripe: Preparing["stripe"];
  customerId: string;
  reached(step: string): void;
  /** Keeps the lease, and throws LeaseLost where it can not. */
  keep(): Promise<void>;
}

/** Looks through all of it where that is due. Gives whether it did. */
export async function lookThrough(parts: Looking, lease: Lease): Promise<boolean> {
  const due = await parts.db.one(
    `select 1 from billing.stream
     where looked_through_at is null or looked_through_at <= clock_timestamp() - $1 * interval '1 millisecond'`,
    [limits.billingLookThrough_ms],
  );
  if (!due) return false;
  const stripe = await parts.stripe();
  const customer = await fetchObject(stripe, "customer", parts.customerId);
  await keepAll(parts, lease, customer ? [customer] : []);
  const { customerId } = parts;
  const limit = limits.billingPage_events;
  await eachPage(parts, lease, {
    kind: "subscription",
    most: Infinity,
    // Those that ended too: what is shown as going on may have.
    read: (after) => stripe.subscriptions.list({ customer: customerId, status: "all", limit, ...after }),
  });
  await eachPage(parts, lease, {
    kind: "invoice",
    most: limits.billingInvoices,
    read: (after) => stripe.invoices.list({ customer: customerId, limit, ...after }),
  });
  await noteLooked(parts.db, lease);
  parts.reached("looked through");
  return true;
}

interface List {
  kind: ObjectKind;
  most: number;
  read(after: { starting_after?: string }): Promise<Stripe.Response<Stripe.ApiList<{ id?: string }>>>;
}

/** The newest first. */
async function eachPage(parts: Looking, lease: Lease, { kind, most, read }: List): Promise<void> {
  let after: string | undefined;
  for (let seen = 0; seen < most;) {
    const page = await read(after === undefined ? {} : { starting_after: after });
    const asOf_s = answeredAt_s(page.lastResponse.headers);
    const told = page.data.map((each) => snapshotOf(kind, each, { asOf_s }));
    await keepAll(parts, lease, told);
    seen += told.length;
    after = told.at(-1)?.id;
    if (!page.has_more || after === undefined) return;
    await parts.keep();
  }
}

async function keepAll({ db, reached }: Looking, lease: Lease, told: readonly Snapshot[]): Promise<void> {
  await fenced(db, lease, async (transaction) => {
    for (const each of told) await keepObject(transaction, each);
  });
  reached("objects kept");
}

async function noteLooked(db: Db, { fence }: Lease): Promise<void> {
  const changed = await db.change(
    `with held as materialized (
       select 1 from billing.lease where fence = $1 and expires_at > clock_timestamp() for share
     )
     update billing.stream set looked_through_at = clock_timestamp() where exists (select 1 from held)`,
    [fence],
  );
  if (changed === 0) throw new LeaseLost();
}
