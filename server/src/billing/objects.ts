/**
 * Customers, subscriptions and invoices, as they were when Stripe last told. Events arrive in any order, and Stripe's objects have no
 * version, so each row knows up to which of Stripe's seconds it is true. An event that is younger brings its object along; for one
 * of the same second or before it, the object is fetched as it is now, and is true as of that answer.
 */
import type { Stripe } from "stripe";
import { z } from "zod";
import type { Db, Reader } from "../db/database.ts";
import { idOf } from "./client.ts";

type Writer = Omit<Db, "transaction">;

export const objectKinds = ["customer", "subscription", "invoice"] as const;
export type ObjectKind = (typeof objectKinds)[number];

const reference = z.union([z.string(), z.looseObject({ id: z.string() })]).nullish();
const seconds = z.int().nullish();

const item = z.looseObject({
  id: z.string(),
  quantity: z.int().nullish(),
  price: z.looseObject({
    id: z.string(),
    nickname: z.string().nullish(),
    currency: z.string().nullish(),
    unit_amount: z.int().nullish(),
  }),
  current_period_start: seconds,
  current_period_end: seconds,
});

/** What is kept of an object. Versions of Stripe's API before 2025 have some members at other places. */
const shapes = {
  customer: z
    .looseObject({ currency: z.string().nullish(), balance: z.int().nullish(), delinquent: z.boolean().nullish() })
    .transform(({ currency = null, balance, delinquent }) => ({
      currency,
      balance: balance ?? 0,
      is_delinquent: delinquent ?? false,
    })),
  subscription: z
    .looseObject({
      status: z.string(),
      cancel_at_period_end: z.boolean().nullish(),
      cancel_at: seconds,
      trial_end: seconds,
      current_period_start: seconds,
      current_period_end: seconds,
      items: z.looseObject({ data: z.array(item) }),
    })
    .transform(({ items: { data }, ...rest }) => ({
      status: rest.status,
      cancel_at_period_end: rest.cancel_at_period_end ?? false,
      cancel_at: rest.cancel_at ?? null,
      trial_end: rest.trial_end ?? null,
      period_start: rest.current_period_start ?? data[0]?.current_period_start ?? null,
      period_end: rest.current_period_end ?? data[0]?.current_period_end ?? null,
      items: data.map(({ id, quantity, price }) => ({
        id,
        price_id: price.id,
        name: price.nickname ?? null,
        quantity: quantity ?? null,
        unit_amount: price.unit_amount ?? null,
        currency: price.currency ?? null,
      })),
    })),
  invoice: z
    .looseObject({
      status: z.string().nullish(),
      number: z.string().nullish(),
      currency: z.string(),
      total: z.int(),
      amount_due: z.int(),
      amount_paid: z.int().nullish(),
      attempt_count: z.int().nullish(),
      next_payment_attempt: seconds,
      due_date: seconds,
      period_start: seconds,
      period_end: seconds,
      hosted_invoice_url: z.string().nullish(),
      subscription: reference,
      parent: z.looseObject({ subscription_details: z.looseObject({ subscription: reference }).nullish() }).nullish(),
    })
    .transform((each) => ({
      status: each.status ?? "draft",
      number: each.number ?? null,
      currency: each.currency,
      total: each.total,
      amount_due: each.amount_due,
      amount_paid: each.amount_paid ?? 0,
      attempt_count: each.attempt_count ?? 0,
      next_payment_attempt: each.next_payment_attempt ?? null,
      due_date: each.due_date ?? null,
      period_start: each.period_start ?? null,
      period_end: each.period_end ?? null,
      hosted_invoice_url: each.hosted_invoice_url ?? null,
      subscription_id: idOf(each.parent?.subscription_details?.subscription ?? each.subscription) ?? null,
    })),
} as const;

export type StateOf<K extends ObjectKind> = z.output<(typeof shapes)[K]>;

const schema = z.looseObject({ id: z.string(), created: seconds, deleted: z.boolean().nullish() });

export interface Snapshot {
  kind: ObjectKind;
  id: string;
  created_s: number;
  /** Stripe's time up to which it is true. */
  asOf_s: number;
  isGone: boolean;
  state: unknown;
}

/** What is kept of an object that Stripe told. Throws where it is none of its kind. */
export function snapshotOf(kind: ObjectKind, object: unknown, told: { asOf_s: number; isGone?: boolean }): Snapshot {
  const { id, created, deleted } = schema.parse(object);
  const isGone = deleted === true || told.isGone === true;
  // A deleted customer is its id and nothing else.
  const state = deleted === true && kind === "customer" ? shapes.customer.parse({}) : shapes[kind].parse(object);
  return { kind, id, created_s: created ?? told.asOf_s, asOf_s: told.asOf_s, isGone, state };
}

/** Up to which of Stripe's seconds the object is known; undefined where it is not. */
export async function knownUntil(db: Reader, kind: ObjectKind, id: string): Promise<number | undefined> {
  const row = await db.one<{ asOf_s: number }>(
    `select extract(epoch from as_of)::double precision as "asOf_s" from billing.objects where kind = $1 and object_id = $2`,
    [kind, id],
  );
  return row?.asOf_s;
}

/** The object as it is now; undefined where Stripe has it no more, as with an invoice that was a draft. */
export async function fetchObject(stripe: Stripe, kind: ObjectKind, id: string): Promise<Snapshot | undefined> {
  const fetch = {
    customer: () => stripe.customers.retrieve(id),
    subscription: () => stripe.subscriptions.retrieve(id),
    invoice: () => stripe.invoices.retrieve(id),
  } as const;
  try {
    const found = await fetch[kind]();
    return snapshotOf(kind, found, { asOf_s: answeredAt_s(found.lastResponse.headers) });
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code === "resource_missing") return undefined;
    throw thrown;
  }
}

/** By Stripe's clock, in whole seconds as its events have them. */
export function answeredAt_s(headers: Readonly<Record<string, string>>): number {
  const at_ms = Date.parse(headers["date"] ?? "");
  if (Number.isNaN(at_ms)) throw new Error("Stripe's answer does not say when it was given.");
  return Math.floor(at_ms / 1_000);
}

/** Keeps the younger of what is known and what was told. Gives whether anything that is shown changed. */
export async function keepObject(
  db: Writer,
  { kind, id, created_s, asOf_s, isGone, state }: Snapshot,
): Promise<boolean> {
  const json = JSON.stringify(state);
  const known = await db.one<{ isYounger: boolean; isSame: boolean }>(
    `select as_of > to_timestamp($3) as "isYounger", state = $4::jsonb and is_gone = $5 as "isSame"
     from billing.objects where kind = $1 and object_id = $2 for update`,
    [kind, id, asOf_s, json, isGone],
  );
  if (known?.isYounger) return false;
  await db.change(
    `insert into billing.objects as o (kind, object_id, created_at, as_of, is_gone, state)
     values ($1, $2, to_timestamp($3), to_timestamp($4), $5, $6::jsonb)
     on conflict (kind, object_id) do update set as_of = excluded.as_of, is_gone = excluded.is_gone, state = excluded.state`,
    [kind, id, created_s, asOf_s, isGone, json],
  );
  return !known?.isSame;
}

/** The provider has it no more; what is known of it stays. Gives whether that is news. */
export async function forgetObject(db: Writer, kind: ObjectKind, id: string): Promise<boolean> {
  const changed = await db.change(
    "update billing.objects set is_gone = true where kind = $1 and object_id = $2 and not is_gone",
    [kind, id],
  );
  return changed > 0;
}
