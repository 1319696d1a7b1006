/**
 * Stripe's API. Its library takes 35 MB once it is loaded, so it is loaded at first use, and nowhere but here: a process without
 * billing never has it.
 */
import type { Stripe } from "stripe";
import { limits } from "../limits.ts";
import { valueOf } from "../secrets/address.ts";
import type { Billing } from "../settings/read-billing.ts";

export type StripeLibrary = typeof Stripe;

export function loadStripe(): Promise<StripeLibrary> {
  return import("stripe").then((module) => module.default);
}

/** Gives the client with the key of this moment. It tries nothing again by itself: whoever asks knows what a failure means. */
export function openStripe(config: Pick<Billing, "secretKey" | "apiUrl">): () => Promise<Stripe> {
  let opened: { key: string; client: Stripe } | undefined;
  return async () => {
    const key = valueOf(config.secretKey);
    if (opened?.key !== key) opened = { key, client: await connect(key, config.apiUrl) };
    return opened.client;
  };
}

async function connect(key: string, apiUrl: string): Promise<Stripe> {
  const library = await loadStripe();
  const { protocol, hostname, port } = new URL(apiUrl);
  const isSecure = protocol === "https:";
  return new library(key, {
    host: hostname,
    port: port || (isSecure ? 443 : 80),
    protocol: isSecure ? "https" : "http",
    timeout: limits.billingAnswer_ms,
    maxNetworkRetries: 0,
    // How long its requests took is nobody else's business.
    telemetry: false,
  });
}

/** The id of the object that a member stands for: Stripe gives the id, or the whole object. */
export function idOf(member: string | { id: string } | null | undefined): string | undefined {
  return typeof member === "string" ? member : member?.id;
}
