/**
 * What a handler does with one event, in two steps: `prepare` asks whom it has to, outside of any transaction; what it gives writes,
 * in the transaction that marks the event as handled, and says whether anything changed.
 */
import type { Stripe } from "stripe";
import { z } from "zod";
import type { Db, Reader } from "../db/database.ts";
import type { BillingEvent } from "./events.ts";
import type { HandlerName } from "./handlers.ts";
import { fetchObject, forgetObject, keepObject, knownUntil, type ObjectKind, snapshotOf } from "./objects.ts";

type Writer = Omit<Db, "transaction">;

export interface Preparing {
  db: Reader;
  stripe(): Promise<Stripe>;
}

export type Write = (db: Writer) => Promise<boolean>;

/** Throws ZodError where the event is not what its type says: trying again would change nothing. */
export function prepare(name: HandlerName, event: BillingEvent, parts: Preparing): Promise<Write> {
  return name === "payment-failure" ? prepareFailure(event) : prepareObject(name, event, parts);
}

async function prepareObject(kind: ObjectKind, event: BillingEvent, { db, stripe }: Preparing): Promise<Write> {
  const { object } = event.data;
  const id = z.string().parse(object.id);
  const known_s = await knownUntil(db, kind, id);
  if (known_s === undefined || event.created > known_s) {
    // A subscription that ended says so itself; an invoice or a customer that was deleted is only no more there.
    const isGone = event.type === "invoice.deleted" || event.type === "customer.deleted";
    const told = snapshotOf(kind, object, { asOf_s: event.created, isGone });
    return (writer) => keepObject(writer, told);
  }
  const fetched = await fetchObject(await stripe(), kind, id);
  return (writer) => (fetched ? keepObject(writer, fetched) : forgetObject(writer, kind, id));
}

const failed = z.looseObject({ id: z.string(), next_payment_attempt: z.int().nullish() });

async function prepareFailure(event: BillingEvent): Promise<Write> {
  const { id, next_payment_attempt: next_s } = failed.parse(event.data.object);
  return async (db) => {
    const added = await db.change(
      `insert into billing.payment_failures (event_id, invoice_id, failed_at, next_attempt_at)
       values ($1, $2, to_timestamp($3), to_timestamp($4)) on conflict (event_id) do nothing`,
      [event.id, id, event.created, next_s ?? null],
    );
    return added > 0;
  };
}
