/**
 * Billing: with whom, for what, and which process does it. It is off where no STRIPE_ setting is set, whatever the switches say:
 * starter charts set those for every process of an installation.
 */
import type { Setting } from "./setting.ts";

export const billingSettings: readonly Setting[] = [
  {
    name: "STRIPE_SECRET_KEY",
    secret: true,
    doc: "The key of Stripe's API. With it the next two and at least one price have to be set; with none of them there is no billing.",
  },
  { name: "STRIPE_WEBHOOK_SECRET", secret: true, doc: "What Stripe signs the events with that it sends here." },
  { name: "STRIPE_CUSTOMER_ID", doc: "Who pays for this installation, such as cus_NffrFeUfNV2Hib." },
  { name: "STRIPE_SEAT_PRICE_ID", doc: "The price of one person who was active in the last 30 days." },
  { name: "STRIPE_STORAGE_PRICE_ID", doc: "The price of one GiB of media that was begun." },
  {
    name: "STRIPE_API_URL",
    default: "https://api.stripe.com",
    doc: "Another address of Stripe's API: a proxy's, or that of a test.",
  },
  {
    name: "ENABLE_BILLING_RETRY_WORKER",
    doc: "true or false: whether this process handles events and reports usage, if no other does. By default true where it may.",
  },
  {
    name: "ENABLE_BILLING_STREAM_REPLAY",
    doc: "true or false: whether this process looks for events that never arrived, if no other does. By default true where it may.",
  },
  {
    name: "BILLING_RETRY_DEPLOYMENT_MODE",
    default: "embedded",
    doc: "embedded (in any process) or dedicated (only in one with the role worker).",
  },
];
