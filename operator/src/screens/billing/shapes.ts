/** Billing, as the operator API answers it. Amounts are in the smallest unit of their currency. */

export interface Counted {
  day: string;
  measured: number;
  quantity: number;
  state: "waiting" | "reported" | "superseded";
  reported_ts: number | null;
  last_error: string | null;
}

export interface PlanItem {
  price_id: string;
  name: string | null;
  is_for: "seats" | "storage" | null;
  quantity: number | null;
  unit_amount: number | null;
  currency: string | null;
}

export interface Plan {
  subscription_id: string;
  status: string;
  cancel_at_period_end: boolean;
  cancel_ts: number | null;
  trial_end_ts: number | null;
  period_start_ts: number | null;
  period_end_ts: number | null;
  items: PlanItem[];
}

export interface Status {
  configured: boolean;
  customer_id: string | null;
  delinquent: boolean;
  failed_payments: number;
  plan: Plan | null;
  seats: Counted | null;
  storage: Counted | null;
  next_invoice: { currency: string; total: number; amount_due: number; due_ts: number | null } | null;
  next_invoice_error: string | null;
  work: {
    waiting: number;
    oldest_waiting_s: number;
    dead: number;
    stream_ts: number | null;
    lease_ts: number | null;
  };
}

export interface Invoice {
  invoice_id: string;
  number: string | null;
  status: string;
  currency: string;
  total: number;
  amount_due: number;
  amount_paid: number;
  attempt_count: number;
  created_ts: number;
  due_ts: number | null;
  next_attempt_ts: number | null;
  url: string | null;
}

export interface Delivery {
  handler: string;
  state: "waiting" | "handled" | "dead" | "discarded";
  attempts: number;
  changes: number;
  due_ts: number;
  settled_ts: number | null;
  last_error: string | null;
}

export interface BillingEvent {
  event_id: string;
  type: string;
  object_id: string;
  source: "webhook" | "stream";
  state: "dead" | "waiting" | "handled" | "discarded" | "unhandled";
  created_ts: number;
  received_ts: number;
  deliveries: Delivery[];
}

export interface DeadLetter {
  event_id: string;
  handler: string;
  type: string;
  object_id: string;
  attempts: number;
  last_error: string | null;
  settled_ts: number | null;
}

/** `€15.00`: currencies differ in how many of the smallest unit there are, which the browser knows. */
export function moneyOf(amount: number, currency: string): string {
  const format = new Intl.NumberFormat("en", { style: "currency", currency: currency.toUpperCase() });
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}
