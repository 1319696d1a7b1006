// What Stripe's API answers, over what the small Stripe of stripe.ts has. Written from Stripe's documentation; it shares no code with
// Stripe's library, which is what talks to it.

import type { Answer, Asked } from "./clouds/serve.ts";

/** An object of Stripe's, whose members a test knows better than the compiler. */
// oxlint-disable-next-line typescript/no-explicit-any
export type StripeObject = { id: string; object: string } & Record<string, any>;

export type StripeEvent = StripeObject & { type: string; created: number; data: { object: StripeObject } };

/** A form with its brackets resolved: `a[b]=1` is `{ a: { b: "1" } }`. */
export type Form = { [name: string]: string | Form };

/** A change that somebody made over the API. */
export type Effect = { path: string; key: string | undefined; form: Form };

/** What the small Stripe has. */
export type StripeState = {
  secretKey: string;
  /** Its clock, in seconds. It stands still unless a test moves it. */
  now_s: number;
  /** Its list of events, the oldest first. */
  events: StripeEvent[];
  /** What was changed over the API, each once however often it was asked for under its key. */
  effects: Effect[];
  /** How often an answer was given again, under its key. */
  replayed: number;
  objects: Map<string, StripeObject>;
  /** So many changes end with an error of Stripe's own, which is kept under their key as any answer is. */
  breaks: number;
  /** Answers by their keys. */
  kept: Map<string, { request: string; answer: Answer }>;
};

/** An object is as it is now, and the list of events tells it. */
export function listEvent(state: StripeState, object: StripeObject, type: string): StripeEvent {
  const event = {
    id: `evt_${String(state.events.length + 1).padStart(6, "0")}`,
    object: "event",
    api_version: "2026-10-28.endive",
    created: state.now_s,
    livemode: false,
    type,
    data: { object: structuredClone(object) },
  };
  state.events.push(event);
  return event;
}

export function answerStripe(state: StripeState, asked: Asked): Answer {
  const date = new Date(state.now_s * 1_000).toUTCString();
  const isKnown = asked.headers["authorization"] === `Bearer ${state.secretKey}`;
  const answer = isKnown ? answerOnce(state, asked) : error(401, { message: "Invalid API Key provided." });
  return { ...answer, headers: { "content-type": "application/json", date, "request-id": "req_1", ...answer.headers } };
}

/** The answer to a key is kept, and given again to whoever asks the same under it. */
function answerOnce(state: StripeState, asked: Asked): Answer {
  const key = asked.headers["idempotency-key"];
  if (asked.method === "GET" || key === undefined) return answerTo(state, asked);
  const request = `${asked.method} ${asked.path}\n${asked.body.toString()}`;
  const known = state.kept.get(key);
  if (known && known.request !== request)
    return error(400, { type: "idempotency_error", message: "Keys are for the same parameters." });
  if (known) {
    state.replayed += 1;
    return { ...known.answer, headers: { "idempotent-replayed": "true" } };
  }
  const answer = state.breaks > 0 ? stripeError(500) : answerTo(state, asked);
  if (state.breaks > 0) state.breaks -= 1;
  state.kept.set(key, { request, answer });
  return answer;
}

function answerTo(state: StripeState, asked: Asked): Answer {
  const [, , kind = "", id] = asked.path.split("/");
  if (asked.method === "POST") return change(state, asked);
  if (id !== undefined) return one(state.events.find((each) => each.id === id) ?? state.objects.get(id), id);
  if (kind === "events") return page(state.events.toReversed().filter(inQuery(asked.query)), asked.query);
  const all = [...state.objects.values()].filter((each) => `${each.object}s` === kind).toReversed();
  const customer = asked.query.get("customer");
  return page(
    all.filter((each) => (customer === null || each["customer"] === customer) && isListed(each, asked.query)),
    asked.query,
  );
}

/** Subscriptions that were cancelled are listed only where all are asked for. */
function isListed(object: StripeObject, query: URLSearchParams): boolean {
  return object.object !== "subscription" || object["status"] !== "canceled" || query.get("status") === "all";
}

function change(state: StripeState, asked: Asked): Answer {
  if (!asked.headers["content-type"]?.startsWith("application/x-www-form-urlencoded"))
    return error(400, { message: "The body is no form." });
  const form = readForm(asked.body.toString());
  if (asked.path === "/v1/invoices/create_preview") return json(previewFor(state, form["customer"] as string));
  const effect = { path: asked.path, key: asked.headers["idempotency-key"], form };
  if (asked.path === "/v1/billing_portal/sessions") {
    const count = state.effects.push(effect);
    return json({ id: `bps_${count}`, object: "billing_portal.session", url: `https://billing.stripe.com/p/${count}` });
  }
  return setQuantity(state, effect);
}

function setQuantity(state: StripeState, effect: Effect): Answer {
  const id = effect.path.split("/").at(-1) as string;
  const subscription = [...state.objects.values()].find((each) => itemsOf(each).some((item) => item.id === id));
  if (!subscription || !effect.path.startsWith("/v1/subscription_items/")) return missing(id);
  state.effects.push(effect);
  const quantity = Number(effect.form["quantity"]);
  const data = itemsOf(subscription).map((item) => (item.id === id ? { ...item, quantity } : item));
  const changed = { ...subscription, items: { object: "list", data } };
  state.objects.set(subscription.id, changed);
  listEvent(state, changed, "customer.subscription.updated");
  return json(data.find((item) => item.id === id));
}

function itemsOf(object: StripeObject): StripeObject[] {
  return (object["items"] as { data: StripeObject[] } | undefined)?.data ?? [];
}

/** What the next invoice would be: each item's quantity at its price. */
function previewFor({ objects }: StripeState, customer: string): StripeObject {
  const subscriptions = [...objects.values()].filter(
    (each) => each.object === "subscription" && each["customer"] === customer,
  );
  const total = subscriptions
    .flatMap(itemsOf)
    .reduce((sum, { price, quantity }) => sum + (quantity as number) * (price.unit_amount as number), 0);
  const period_end = subscriptions.flatMap(itemsOf)[0]?.["current_period_end"] as number;
  return {
    id: "upcoming_in_1",
    object: "invoice",
    customer,
    currency: "eur",
    total,
    amount_due: total,
    period_end,
    lines: { data: [] },
  };
}

function inQuery(query: URLSearchParams): (event: StripeEvent) => boolean {
  const types = [...query].filter(([name]) => /^types\[\d*\]$/.test(name)).map(([, value]) => value);
  const from_s = Number(query.get("created[gte]") ?? 0);
  return ({ type, created }) => created >= from_s && (types.length === 0 || types.includes(type));
}

/** A part of a list that runs from the newest to the oldest. */
function page(all: readonly StripeObject[], query: URLSearchParams): Answer {
  const limit = Number(query.get("limit") ?? 10);
  const [after, before] = [query.get("starting_after"), query.get("ending_before")];
  if (after !== null && !all.some(({ id }) => id === after)) return missing(after);
  if (before !== null && !all.some(({ id }) => id === before)) return missing(before);
  const from = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1;
  const to = before === null ? all.length : all.findIndex(({ id }) => id === before);
  const data = before === null ? all.slice(from, from + limit) : all.slice(Math.max(0, to - limit), to);
  const has_more = before === null ? from + limit < all.length : to > limit;
  return json({ object: "list", url: "/v1", has_more, data });
}

function one(object: StripeObject | undefined, id: string): Answer {
  return object ? json(object) : missing(id);
}

function missing(id: string): Answer {
  return error(404, { code: "resource_missing", message: `No such object: '${id}'` });
}

function json(value: unknown): Answer {
  return { status: 200, body: JSON.stringify(value) };
}

/** An error as Stripe words it, for faults too: `stripe.cloud.plan({ times: 1, manner: stripeError(429, { "retry-after": "7" }) })`. */
export function stripeError(status: number, headers: Record<string, string> = {}): Answer {
  const type = status === 429 ? "rate_limit_error" : "api_error";
  return {
    ...error(status, { type, message: `Stripe answered ${status}.` }),
    headers: { "content-type": "application/json", ...headers },
  };
}

function error(status: number, what: Record<string, string>): Answer {
  return { status, body: JSON.stringify({ error: { type: "invalid_request_error", ...what } }) };
}

function readForm(text: string): Form {
  const form: Form = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const path = name.split(/[[\]]+/).filter((part) => part !== "");
    let at = form;
    for (const part of path.slice(0, -1)) at = (at[part] ??= {}) as Form;
    at[path.at(-1) as string] = value;
  }
  return form;
}
