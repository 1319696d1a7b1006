/** Whether there is billing, and what this process does of it. See billing.ts. */
import { StartError } from "../errors.ts";
import type { RoleName } from "../roles.ts";
import type { Address } from "../secrets/address.ts";
import { type Env, given, oneOf, refuse, secret, text, url } from "./read.ts";

export interface Billing {
  secretKey: Address;
  webhookSecret: Address;
  /** Without a slash at its end. */
  apiUrl: string;
  /** Who pays for this installation: events about others are not ours. */
  customerId: string;
  /** Only what has a price is reported. */
  prices: { seats: string | undefined; storage: string | undefined };
  /** Whether this process, if no other does, handles events and reports usage; and reads the stream of events. */
  handles: boolean;
  replays: boolean;
}

const SWITCHES = ["ENABLE_BILLING_RETRY_WORKER", "ENABLE_BILLING_STREAM_REPLAY"] as const;
const PRICES = ["STRIPE_SEAT_PRICE_ID", "STRIPE_STORAGE_PRICE_ID"] as const;
const examples = {
  STRIPE_SECRET_KEY: "file:///run/secrets/stripe-secret-key",
  STRIPE_WEBHOOK_SECRET: "file:///run/secrets/stripe-webhook-secret",
  STRIPE_CUSTOMER_ID: "cus_NffrFeUfNV2Hib",
} as const;

/** Undefined where there is no billing. Throws StartError where it is half configured, or a process may not do what it is told to. */
export function readBilling(env: Env, roles: readonly RoleName[]): Billing | undefined {
  const [handles, replays] = switches(env, roles);
  const shape = {
    secretKey: secret(env, "STRIPE_SECRET_KEY"),
    webhookSecret: secret(env, "STRIPE_WEBHOOK_SECRET"),
    customerId: id(env, "STRIPE_CUSTOMER_ID", "cus_NffrFeUfNV2Hib"),
    prices: {
      seats: id(env, PRICES[0], "price_1MoBy5LkdIwHu7ix"),
      storage: id(env, PRICES[1], "price_1MoBy5LkdIwHu7iy"),
    },
    apiUrl: apiUrl(env),
  };
  const set = [...Object.keys(examples), ...PRICES, "STRIPE_API_URL"].find((name) => env[name]);
  if (set === undefined) return undefined;
  const { secretKey, webhookSecret, customerId } = shape;
  if (secretKey === undefined) throw isMissing("STRIPE_SECRET_KEY", set);
  if (webhookSecret === undefined) throw isMissing("STRIPE_WEBHOOK_SECRET", set);
  if (customerId === undefined) throw isMissing("STRIPE_CUSTOMER_ID", set);
  if (!shape.prices.seats && !shape.prices.storage)
    throw new StartError(
      `${set} is set, and no price: set ${PRICES[0]}, ${PRICES[1]} or both, or none of Stripe's settings.`,
    );
  return { ...shape, secretKey, webhookSecret, customerId, handles, replays };
}

function isMissing(name: keyof typeof examples, set: string): StartError {
  return new StartError(
    `${set} is set, and ${name} is not: set it, such as to ${examples[name]}, or none of Stripe's settings.`,
  );
}

/** By default on in processes with the role worker, and where that is not asked for in those with the role web too. */
function switches(env: Env, roles: readonly RoleName[]): readonly [handles: boolean, replays: boolean] {
  const mode = oneOf(env, "BILLING_RETRY_DEPLOYMENT_MODE", ["embedded", "dedicated"]);
  const byDefault = roles.includes("worker") || (mode === "embedded" && roles.includes("web"));
  const isOn = (name: string) => oneOf({ [name]: `${byDefault}`, ...given(env) }, name, ["true", "false"]) === "true";
  const on = SWITCHES.filter(isOn);
  if (mode === "dedicated" && on.length > 0 && !roles.includes("worker"))
    refuse(
      "BILLING_RETRY_DEPLOYMENT_MODE",
      mode,
      `set it to embedded, ROLES to some with worker, or ${on[0]} to false.`,
    );
  return [on.includes(SWITCHES[0]), on.includes(SWITCHES[1])];
}

function id(env: Env, name: string, example: string): string | undefined {
  const value = env[name];
  if (value && !/^[A-Za-z0-9_]{3,255}$/.test(value))
    refuse(name, value, `set it to an id of Stripe's, such as ${example}.`);
  return value || undefined;
}

/** Stripe's client appends the paths, so there is none here. */
function apiUrl(env: Env): string {
  const name = "STRIPE_API_URL";
  const value = url(env, name, ["http:", "https:"]) ?? text(env, name);
  if (!/^https?:\/\/[^/?#@]+\/?$/.test(value))
    refuse(name, value, "set it to an address without a path, such as https://stripe-proxy.example.org.");
  return value.replace(/\/$/, "");
}
