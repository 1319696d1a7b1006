/** What is done about which event. A handler has to come to the same end in whatever order, and however often, events arrive. */

/** The name of a handler stands in the database. */
export const handlerNames = ["customer", "subscription", "invoice", "payment-failure"] as const;
export type HandlerName = (typeof handlerNames)[number];

const of = (prefix: string, names: string) => names.split(" ").map((name) => `${prefix}.${name}`);

/** Twenty types at the most: that is what one question for the stream may name. */
const handlers: Readonly<Record<HandlerName, readonly string[]>> = {
  customer: of("customer", "created updated deleted"),
  subscription: of("customer.subscription", "created updated deleted paused resumed trial_will_end"),
  invoice: [
    ...of("invoice", "created updated finalized paid payment_succeeded payment_failed payment_action_required"),
    ...of("invoice", "voided marked_uncollectible deleted"),
  ],
  "payment-failure": of("invoice", "payment_failed payment_action_required"),
};

/** Whom an event concerns; nobody where it is of a type that we know nothing of. */
export function handlersOf(type: string): HandlerName[] {
  return handlerNames.filter((name) => handlers[name].includes(type));
}

/** Every type that somebody handles: what has to be sent here, and what the stream is asked for. */
export const handledTypes: readonly string[] = [...new Set(Object.values(handlers).flat())];
