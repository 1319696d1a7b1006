/**
 * What is billed: people who were active in the last 30 days, and bytes of media. Both are counted once a day (UTC) and kept, and
 * Stripe is told the quantity of the subscription's item with that price. A quantity is set and not added to, so telling it twice is
 * telling it once, also after Stripe has forgotten the idempotency key; and what counts for an invoice is what was told last.
 */
import type { Stripe } from "stripe";
import { activePeople } from "../auth/for-billing.ts";
import type { Database, Db } from "../db/database.ts";
import { limits } from "../limits.ts";
import { storedBytes } from "../media/for-billing.ts";
import type { Seams } from "../seams.ts";
import type { Billing } from "../settings/read-billing.ts";
import { reasonOf, retryAfter_ms } from "./deliveries.ts";
import { fenced, type Lease, LeaseLost } from "./lease.ts";

export const usageKinds = ["seats", "storage"] as const;
export type UsageKind = (typeof usageKinds)[number];

export interface Using {
  db: Pick<Database, "billing" | "auth" | "media">;
  config: Pick<Billing, "prices" | "customerId">;
  serverName: string;
  stripe(): Promise<Stripe>;
  seams: Seams;
  reached(step: string): void;
}

const counted: Readonly<Record<UsageKind, (db: Using["db"]) => Promise<number>>> = {
  seats: (db) => activePeople(db.auth, limits.billingActive_days),
  storage: (db) => storedBytes(db.media),
};

/** In the units of the prices: a person, and a GiB that was begun. */
export function quantityOf(kind: UsageKind, measured: number): number {
  return kind === "seats" ? measured : Math.ceil(measured / limits.billingStorageUnit_bytes);
}

/** Counts what was not counted today. Gives whether anything was. */
export async function measureUsage(parts: Using, lease: Lease): Promise<boolean> {
  const rows = await parts.db.billing.query<{ kind: UsageKind }>(
    "select kind from billing.usage where day = (now() at time zone 'utc')::date",
  );
  const missing = usageKinds.filter((kind) => parts.config.prices[kind] && !rows.some((row) => row.kind === kind));
  for (const kind of missing) {
    const measured = await counted[kind](parts.db);
    parts.reached("usage counted");
    await fenced(parts.db.billing, lease, async (db) => {
      await db.change(
        `insert into billing.usage (day, kind, measured, quantity)
         values ((now() at time zone 'utc')::date, $1, $2, $3) on conflict (kind, day) do nothing`,
        [kind, measured, quantityOf(kind, measured)],
      );
      await db.change(
        `update billing.usage u set state = 'superseded' where kind = $1 and state = 'waiting'
         and exists (select 1 from billing.usage later where later.kind = u.kind and later.day > u.day)`,
        [kind],
      );
    });
    parts.reached("usage kept");
  }
  return missing.length > 0;
}

interface Due {
  day: string;
  kind: UsageKind;
  quantity: number;
  attempts: number;
  refusals: number;
}

/** Tells Stripe what is due. Gives whether anything was. */
export async function reportUsage(parts: Using, lease: Lease): Promise<boolean> {
  const due = await takeDue(parts.db.billing, lease);
  if (!due) return false;
  parts.reached("usage taken");
  try {
    const stripe = await parts.stripe();
    const item = await itemWith(stripe, parts.config.customerId, parts.config.prices[due.kind] ?? "");
    parts.reached("item found");
    await stripe.subscriptionItems.update(
      item,
      // What changes within a period is not charged for by the day: the next invoice has the quantity of its day.
      { quantity: due.quantity, proration_behavior: "none" },
      { idempotencyKey: keyOf(parts.serverName, due) },
    );
    parts.reached("usage told");
    await note(parts.db.billing, lease, { due, thrown: undefined, wait_ms: 0 });
    parts.reached("usage noted");
  } catch (thrown) {
    if (thrown instanceof LeaseLost) throw thrown;
    const wait_ms = retryAfter_ms(parts.seams, due.attempts, thrown);
    await note(parts.db.billing, lease, { due, thrown, wait_ms });
  }
  return true;
}

/**
 * Whoever asks again because no answer came asks under the same key, and is told what came of it. Where Stripe answered with an error,
 * it would do so again under that key for a day, also when its trouble is long over: then it is another one.
 */
function keyOf(serverName: string, { kind, day, quantity, refusals }: Due): string {
  return `parley-${serverName}-${kind}-${day}-${quantity}${refusals === 0 ? "" : `-${refusals}`}`;
}

const isAnswered = (thrown: unknown) => typeof (thrown as { statusCode?: unknown }).statusCode === "number";

/** Begins an attempt at what is due; it is due again when whoever began it counts as dead. */
function takeDue(db: Db, { fence }: Lease): Promise<Due | undefined> {
  return db.one<Due>(
    `with held as materialized (
       select 1 from billing.lease where fence = $1 and expires_at > clock_timestamp() for share
     ), due as materialized (
       select day, kind from billing.usage
       where state = 'waiting' and due_at <= clock_timestamp() and exists (select 1 from held)
       order by day desc, kind limit 1 for update
     )
     update billing.usage u set attempts = u.attempts + 1, due_at = clock_timestamp() + $2 * interval '1 millisecond'
     from due where u.day = due.day and u.kind = due.kind
     returning u.day::text, u.kind, u.quantity, u.attempts, u.refusals`,
    [fence, limits.billingVisibility_ms],
  );
}

/** Throws where our customer has no subscription with that price that goes on. */
async function itemWith(stripe: Stripe, customer: string, price: string): Promise<string> {
  for await (const { status, items } of stripe.subscriptions.list({ customer, limit: limits.billingPage_events })) {
    const item = items.data.find((each) => each.price.id === price);
    if (item && status !== "incomplete_expired" && status !== "canceled") return item.id;
  }
  throw new Error(`The customer has no subscription with the price ${price}.`);
}

function note(
  db: Db,
  lease: Lease,
  { due, thrown, wait_ms }: { due: Due; thrown: unknown; wait_ms: number },
): Promise<number> {
  const reason = thrown === undefined ? null : reasonOf(thrown);
  const refused = thrown !== undefined && isAnswered(thrown) ? 1 : 0;
  return fenced(db, lease, (transaction) =>
    transaction.change(
      `update billing.usage
       set last_error = $4, refusals = refusals + $6,
         state = case when $4::text is null then 'reported' else state end,
         reported_at = case when $4::text is null then clock_timestamp() end,
         due_at = clock_timestamp() + $5 * interval '1 millisecond'
       where day = $1::date and kind = $2 and state = 'waiting' and attempts = $3`,
      [due.day, due.kind, due.attempts, reason, wait_ms, refused],
    ),
  );
}
