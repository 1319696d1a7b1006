/** What operators ask about billing: the plan, what is counted, what the next invoice is, and the invoices there were. */
import { z } from "zod";
import { cursorOf, readCursor } from "../console/cursor.ts";
import { operation, type Operation, pageOf, pageQuery } from "../console/operation.ts";
import type { Context } from "../context.ts";
import { asError, matrixError } from "../errors.ts";
import type { Billing } from "../settings/read-billing.ts";
import { openStripe } from "./client.ts";
import { eventOperations } from "./operations-events.ts";
import { backlog, listInvoices, readCustomer, readPlan, readUsage, readWork } from "./queries.ts";
import type { UsageKind } from "./usage.ts";

const ts = z.int().nullable();

const counted = z
  .object({
    day: z.string(),
    measured: z.int().meta({ description: "People, or bytes." }),
    quantity: z.int().meta({ description: "What is billed: people, or GiB that were begun." }),
    state: z.enum(["waiting", "reported", "superseded"]),
    reported_ts: ts,
    last_error: z.string().nullable(),
  })
  .nullable();

const status = z.object({
  configured: z.boolean(),
  customer_id: z.string().nullable(),
  delinquent: z.boolean(),
  failed_payments: z.int().meta({ description: "In the last 30 days." }),
  plan: z
    .object({
      subscription_id: z.string(),
      status: z.string(),
      cancel_at_period_end: z.boolean(),
      cancel_ts: ts,
      trial_end_ts: ts,
      period_start_ts: ts,
      period_end_ts: ts,
      items: z.array(
        z.object({
          price_id: z.string(),
          name: z.string().nullable(),
          is_for: z.enum(["seats", "storage"]).nullable(),
          quantity: z.int().nullable(),
          unit_amount: z.int().nullable().meta({ description: "In the smallest unit of the currency." }),
          currency: z.string().nullable(),
        }),
      ),
    })
    .nullable(),
  seats: counted,
  storage: counted,
  next_invoice: z.object({ currency: z.string(), total: z.int(), amount_due: z.int(), due_ts: ts }).nullable(),
  next_invoice_error: z.string().nullable().meta({ description: "Why Stripe did not say what it will be." }),
  work: z.object({
    waiting: z.int(),
    oldest_waiting_s: z.int(),
    dead: z.int(),
    stream_ts: ts.meta({ description: "When Stripe's list of events was read." }),
    lease_ts: ts.meta({ description: "Until when a worker has the lease; null where none has." }),
  }),
});

const at_ms = (seconds: number | null) => (seconds === null ? null : seconds * 1_000);

const read = operation({
  id: "billing.read",
  method: "GET",
  path: "/billing",
  summary: "Says what is billed: the plan, seats, storage, the next invoice, and how the work on it goes",
  description: "Billing limits nothing: whatever stands here, everybody goes on as before.",
  role: "auditor",
  answer: status,
  command: { name: "billing status" },
  async handle(_request, ctx) {
    const { billing: config } = ctx.config;
    const db = ctx.db.billing;
    const [plan, customer, usage, behind, work, next] = await Promise.all([
      readPlan(db),
      readCustomer(db),
      readUsage(db),
      backlog(db),
      readWork(db),
      nextInvoice(config),
    ]);
    const { stream_ts, lease_ts, failed_payments } = work;
    return {
      configured: config !== undefined,
      customer_id: config?.customerId ?? null,
      delinquent: customer?.is_delinquent ?? false,
      failed_payments,
      plan: plan ? planOf(plan, config) : null,
      seats: withoutKind(usage.find(({ kind }) => kind === "seats")),
      storage: withoutKind(usage.find(({ kind }) => kind === "storage")),
      ...next,
      work: {
        waiting: behind.waiting,
        oldest_waiting_s: Math.round(behind.oldest_s),
        dead: behind.dead,
        stream_ts,
        lease_ts,
      },
    };
  },
});

function planOf({ id, state }: NonNullable<Awaited<ReturnType<typeof readPlan>>>, config: Billing | undefined) {
  const { status: is, cancel_at_period_end, cancel_at, trial_end, period_start, period_end, items } = state;
  const kindOf = (price: string): UsageKind | null =>
    price === config?.prices.seats ? "seats" : price === config?.prices.storage ? "storage" : null;
  return {
    subscription_id: id,
    status: is,
    cancel_at_period_end,
    cancel_ts: at_ms(cancel_at),
    trial_end_ts: at_ms(trial_end),
    period_start_ts: at_ms(period_start),
    period_end_ts: at_ms(period_end),
    items: items.map(({ id: _, ...item }) => ({ ...item, is_for: kindOf(item.price_id) })),
  };
}

function withoutKind(usage: Awaited<ReturnType<typeof readUsage>>[number] | undefined) {
  if (!usage) return null;
  const { kind: _, ...rest } = usage;
  return rest;
}

/** Stripe works it out at this moment; that it does not answer keeps nothing else from being shown. */
async function nextInvoice(config: Billing | undefined) {
  if (!config) return { next_invoice: null, next_invoice_error: null };
  try {
    const stripe = await openStripe(config)();
    const { currency, total, amount_due, period_end } = await stripe.invoices.createPreview({
      customer: config.customerId,
    });
    return {
      next_invoice: { currency, total, amount_due, due_ts: at_ms(period_end ?? null) },
      next_invoice_error: null,
    };
  } catch (thrown) {
    return { next_invoice: null, next_invoice_error: asError(thrown).message };
  }
}

const invoices = operation({
  id: "billing.invoices",
  method: "GET",
  path: "/billing/invoices",
  summary: "Lists invoices, the newest first",
  role: "auditor",
  query: z.object({
    limit: pageQuery.limit,
    from: pageQuery.from,
    status: z.enum(["draft", "open", "paid", "uncollectible", "void"]).optional(),
  }),
  answer: pageOf(
    z.object({
      invoice_id: z.string(),
      number: z.string().nullable(),
      status: z.string().meta({ description: "As Stripe has it, or deleted." }),
      currency: z.string(),
      total: z.int().meta({ description: "In the smallest unit of the currency." }),
      amount_due: z.int(),
      amount_paid: z.int(),
      attempt_count: z.int(),
      created_ts: z.int(),
      due_ts: ts,
      next_attempt_ts: ts,
      url: z.string().nullable().meta({ description: "Stripe's page of the invoice." }),
    }),
  ),
  command: { name: "billing invoices", columns: ["invoice_id", "number", "status", "total", "currency", "created_ts"] },
  async handle({ query: { limit, from, status: wanted } }, ctx) {
    const after = from === undefined ? undefined : readCursor(from, z.tuple([z.number(), z.string()]));
    const rows = await listInvoices(ctx.db.billing, { after, limit: limit + 1, status: wanted });
    const shown = rows.slice(0, limit);
    const last = rows.length > limit ? shown.at(-1) : undefined;
    return {
      items: shown.map(({ id, created_ts, is_gone, state }) => ({
        invoice_id: id,
        number: state.number,
        status: is_gone ? "deleted" : state.status,
        currency: state.currency,
        total: state.total,
        amount_due: state.amount_due,
        amount_paid: state.amount_paid,
        attempt_count: state.attempt_count,
        created_ts,
        due_ts: at_ms(state.due_date),
        next_attempt_ts: at_ms(state.next_payment_attempt),
        url: state.hosted_invoice_url,
      })),
      ...(last ? { next: cursorOf([last.created_ts, last.id]) } : {}),
    };
  },
});

const portal = operation({
  id: "billing.portal",
  method: "POST",
  path: "/billing/portal",
  summary: "Opens Stripe's customer portal, where payment methods and the plan are changed",
  description: "The address works once and for a short time, and is for whoever asked.",
  role: "owner",
  answer: z.object({ url: z.url() }),
  command: { name: "billing portal" },
  async handle(_request, ctx) {
    const config = configured(ctx);
    try {
      const stripe = await openStripe(config)();
      const { url } = await stripe.billingPortal.sessions.create({
        customer: config.customerId,
        return_url: `${ctx.publicUrl()}/admin/billing`,
      });
      return { url };
    } catch (thrown) {
      const why = asError(thrown).message;
      throw matrixError("M_UNKNOWN", `Stripe did not open its portal: ${why}`, { status: 502, cause: thrown });
    }
  },
});

function configured(ctx: Context): Billing {
  const { billing } = ctx.config;
  if (!billing) throw matrixError("M_NOT_FOUND", "Billing is not configured here: see docs/operations/billing.md.");
  return billing;
}

export const billingOperations: readonly Operation[] = [read, invoices, portal, ...eventOperations];
