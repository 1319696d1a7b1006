/** What operators ask about events of the payment provider, and what they do with them. */
import { z } from "zod";
import { cursorOf, readCursor } from "../console/cursor.ts";
import { operation, type Operation, pageOf, pageQuery, reasonSchema } from "../console/operation.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { handlerNames } from "./handlers.ts";
import { listDead, listEvents } from "./queries.ts";
import { countRange, discardDead, readStreamSoon, replayEvent, replayRange, retryDead } from "./replays.ts";

const ts = z.int().nullable();
/** In milliseconds since 1970, up to the last day that dates know. */
const moment = z.int().min(0).max(8_640_000_000_000_000);

const delivery = z.object({
  handler: z.string(),
  state: z.enum(["waiting", "handled", "dead", "discarded"]),
  attempts: z.int(),
  changes: z.int().meta({ description: "How many of its runs changed something." }),
  due_ts: z.int(),
  settled_ts: ts,
  last_error: z.string().nullable(),
});

const events = operation({
  id: "billing.events",
  method: "GET",
  path: "/billing/events",
  summary: "Lists what Stripe told, the newest first, with what came of it",
  description: "`q` is the id of an event, or of what it is about. The bodies of events are not shown.",
  role: "auditor",
  query: z.object({
    ...pageQuery,
    state: z.enum(["dead", "waiting", "handled", "discarded", "unhandled"]).optional(),
    type: z.string().max(255).optional(),
    source: z.enum(["webhook", "stream"]).optional(),
  }),
  answer: pageOf(
    z.object({
      event_id: z.string(),
      type: z.string(),
      object_id: z.string(),
      source: z.enum(["webhook", "stream"]).meta({ description: "stream: its webhook never arrived." }),
      state: z.enum(["dead", "waiting", "handled", "discarded", "unhandled"]),
      created_ts: z.int(),
      received_ts: z.int(),
      deliveries: z.array(delivery),
    }),
  ),
  command: { name: "billing events", columns: ["event_id", "type", "object_id", "state", "source", "created_ts"] },
  async handle({ query: { limit, from, q, state, type, source } }, ctx) {
    const after = from === undefined ? undefined : readCursor(from, z.tuple([z.number(), z.string()]));
    const rows = await listEvents(ctx.db.billing, { after, limit: limit + 1, q, state, type, source });
    const items = rows.slice(0, limit);
    const last = rows.length > limit ? items.at(-1) : undefined;
    return { items, ...(last ? { next: cursorOf([last.created_ts, last.event_id]) } : {}) };
  },
});

const replayed = z.object({ deliveries: z.int().meta({ description: "How many are going to be run." }) });

const replayOne = operation({
  id: "billing.event.replay",
  method: "POST",
  path: "/billing/events/:eventId/replay",
  summary: "Runs the handlers of a stored event again",
  description: "What was applied is not applied again: a run that finds everything as it should be changes nothing.",
  role: "operator",
  answer: replayed,
  target: ({ params }) => params.eventId,
  command: { name: "billing replay", arguments: ["eventId"] },
  async handle({ params: { eventId } }, ctx) {
    const deliveries = await replayEvent(ctx.db.billing, eventId);
    if (deliveries === undefined) throw matrixError("M_NOT_FOUND", `There is no event ${eventId}.`);
    return { deliveries };
  },
});

const replayMany = operation({
  id: "billing.events.replay",
  method: "POST",
  path: "/billing/events/replay",
  summary: "Runs the handlers of all stored events of a time again",
  description: "From `from_ts` on and before `to_ts`, by the time at which they were made at Stripe.",
  role: "operator",
  body: z.object({
    from_ts: moment,
    to_ts: moment,
    type: z.string().max(255).optional(),
    reason: reasonSchema,
  }),
  answer: replayed,
  command: { name: "billing replay-range", arguments: ["from_ts", "to_ts"] },
  async handle({ body: { from_ts, to_ts, type }, audit }, ctx) {
    const range = { from_ms: from_ts, to_ms: to_ts, type };
    const count = await countRange(ctx.db.billing, range);
    if (count > limits.billingReplay_events)
      throw matrixError("M_INVALID_PARAM", `That are ${count} events; at most ${limits.billingReplay_events} at once.`);
    const deliveries = await replayRange(ctx.db.billing, range);
    const target = `${new Date(from_ts).toISOString()} to ${new Date(to_ts).toISOString()}`;
    audit({ target, after: { deliveries, ...(type === undefined ? {} : { type }) } });
    return { deliveries };
  },
});

const readAgain = operation({
  id: "billing.stream.read",
  method: "POST",
  path: "/billing/stream/read",
  summary: "Looks in Stripe's list for events that never arrived, now",
  description: "Back to `since_ts` where that is given; Stripe has the events of the last 30 days.",
  role: "operator",
  body: z.object({ since_ts: moment.optional() }),
  answer: z.object({}),
  command: { name: "billing find-missed" },
  async handle({ body: { since_ts } }, ctx) {
    await readStreamSoon(ctx.db.billing, since_ts);
    return {};
  },
});

const dead = operation({
  id: "billing.dead-letters",
  method: "GET",
  path: "/billing/dead-letters",
  summary: "Lists events that a handler could not handle",
  role: "auditor",
  query: z.object({ limit: pageQuery.limit, from: pageQuery.from }),
  answer: pageOf(
    z.object({
      event_id: z.string(),
      handler: z.string(),
      type: z.string(),
      object_id: z.string(),
      attempts: z.int(),
      last_error: z.string().nullable(),
      settled_ts: ts.meta({ description: "When it was given up." }),
    }),
  ),
  command: { name: "billing dead-letters" },
  async handle({ query: { limit, from } }, ctx) {
    const after = from === undefined ? undefined : readCursor(from, z.tuple([z.string(), z.string()]));
    const rows = await listDead(ctx.db.billing, { after, limit: limit + 1 });
    const items = rows.slice(0, limit);
    const last = rows.length > limit ? items.at(-1) : undefined;
    return { items, ...(last ? { next: cursorOf([last.event_id, last.handler]) } : {}) };
  },
});

const handlerSchema = z.enum(handlerNames);

function deadLetter({ eventId, handler }: { eventId: string; handler: string }) {
  const known = handlerSchema.safeParse(handler);
  if (!known.success) throw matrixError("M_NOT_FOUND", `There is no handler ${handler}.`);
  return { eventId, handler: known.data };
}

const retry = operation({
  id: "billing.dead-letter.retry",
  method: "POST",
  path: "/billing/dead-letters/:eventId/:handler/retry",
  summary: "Runs a handler again that failed every time",
  role: "operator",
  answer: z.object({}),
  target: ({ params }) => `${params.eventId} ${params.handler}`,
  command: { name: "billing retry", arguments: ["eventId", "handler"] },
  async handle({ params }, ctx) {
    const name = deadLetter(params);
    if (!(await retryDead(ctx.db.billing, name)))
      throw matrixError("M_NOT_FOUND", `${name.eventId} is no dead letter of the handler ${name.handler}.`);
    return {};
  },
});

const discard = operation({
  id: "billing.dead-letter.discard",
  method: "POST",
  path: "/billing/dead-letters/:eventId/:handler/discard",
  summary: "Leaves an event unhandled that a handler could not handle",
  description: "It stays in the list of events, and can be replayed.",
  role: "operator",
  body: z.object({ reason: reasonSchema }),
  answer: z.object({}),
  target: ({ params }) => `${params.eventId} ${params.handler}`,
  command: { name: "billing discard", arguments: ["eventId", "handler"] },
  async handle({ params }, ctx) {
    const name = deadLetter(params);
    if (!(await discardDead(ctx.db.billing, name)))
      throw matrixError("M_NOT_FOUND", `${name.eventId} is no dead letter of the handler ${name.handler}.`);
    return {};
  },
});

export const eventOperations: readonly Operation[] = [events, replayOne, replayMany, readAgain, dead, retry, discard];
