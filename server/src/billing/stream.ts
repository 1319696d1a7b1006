/**
 * Stripe's own list of events, in which those are found that never arrived here: a webhook that was switched off, an address that
 * was wrong, an outage that was longer than Stripe's patience. It is read by time, with some overlap, since an event may appear in
 * the list after a younger one; the position is kept when all pages are stored.
 */
import { eventSchema, customerOf, storeEvent, type BillingEvent } from "./events.ts";
import type { Db } from "../db/database.ts";
import { limits } from "../limits.ts";
import type { Preparing } from "./apply.ts";
import { handledTypes } from "./handlers.ts";
import { fenced, type Lease, LeaseLost } from "./lease.ts";

export interface Following {
  db: Db;
  stripe: Preparing["stripe"];
  customerId: string;
  reached(step: string): void;
  /** Told of each event that had not arrived. */
  found(event: BillingEvent): void;
  /** Keeps the lease, and throws LeaseLost where it can not: a list may have many pages. */
  keep(): Promise<void>;
}

/** Reads all that is new since the last time, if that is `every_ms` ago. Gives whether it read. */
export async function followStream(parts: Following, lease: Lease, every_ms: number): Promise<boolean> {
  const due = await parts.db.one<{ from_s: number | null; asked: number }>(
    `select floor(extract(epoch from read_until))::bigint as from_s, asked from billing.stream
     where looked_at is null or looked_at <= clock_timestamp() - $1 * interval '1 millisecond'`,
    [every_ms],
  );
  if (!due) return false;
  let newest_s = due.from_s ?? 0;
  let after: string | undefined;
  do {
    const page = await readPage(parts, { from_s: due.from_s, after });
    parts.reached("page read");
    await storePage(parts, lease, page.events);
    parts.reached("page stored");
    for (const { created } of page.events) newest_s = Math.max(newest_s, created);
    after = page.next;
    await parts.keep();
  } while (after !== undefined);
  await noteRead(parts.db, lease, { newest_s, asked: due.asked });
  parts.reached("stream read");
  return true;
}

interface Page {
  events: BillingEvent[];
  /** The id behind which the next page begins: the list runs back in time. */
  next: string | undefined;
}

async function readPage(
  { stripe }: Following,
  { from_s, after }: { from_s: number | null; after: string | undefined },
): Promise<Page> {
  const page = await (
    await stripe()
  ).events.list({
    types: [...handledTypes],
    limit: limits.billingPage_events,
    ...(from_s === null ? {} : { created: { gte: from_s - limits.billingOverlap_ms / 1_000 } }),
    ...(after === undefined ? {} : { starting_after: after }),
  });
  // What the library made of it becomes plain JSON again, as it would have arrived.
  const events = (JSON.parse(JSON.stringify(page.data)) as unknown[]).map((each) => eventSchema.parse(each));
  return { events, next: page.has_more ? events.at(-1)?.id : undefined };
}

/** Those of our customer that are not there yet. */
async function storePage(
  { db, customerId, found }: Following,
  lease: Lease,
  page: readonly BillingEvent[],
): Promise<void> {
  const ours = page.filter((event) => customerOf(event) === customerId);
  const isNew = await fenced(db, lease, async (transaction) => {
    const stored = [];
    // The oldest first: what is stored first is handled first.
    for (const event of ours.toReversed())
      if (await storeEvent(transaction, { event, body: JSON.stringify(event), source: "stream" })) stored.push(event);
    return stored;
  });
  isNew.forEach(found);
}

/** Where a reading was asked for since this one began, that one is due, from where it was asked for. */
async function noteRead(
  db: Db,
  { fence }: Lease,
  { newest_s, asked }: { newest_s: number; asked: number },
): Promise<void> {
  const changed = await db.change(
    `with held as materialized (
       select 1 from billing.lease where fence = $1 and expires_at > clock_timestamp() for share
     )
     update billing.stream
     set looked_at = case when asked = $3 then clock_timestamp() end,
       read_until = case when asked = $3 then greatest(read_until, to_timestamp(nullif($2::double precision, 0))) else read_until end
     where exists (select 1 from held)`,
    [fence, newest_s, asked],
  );
  if (changed === 0) throw new LeaseLost();
}
