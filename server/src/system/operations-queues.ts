/** The queues between processes, and the messages in them that could not be done. What is in a message is never shown. */
import { z } from "zod";
import { cursorOf, readCursor } from "../console/cursor.ts";
import { operation, type Operation, pageOf, pageQuery, reasonSchema } from "../console/operation.ts";
import { time } from "../console/users/shapes.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { discardDead, listDead, retryDead } from "../queue/dead.ts";
import { type Queue, type QueueName, queueNames } from "../queue/queue.ts";

const queues = operation({
  id: "system.queues",
  method: "GET",
  path: "/system/queues",
  summary: "Shows how much waits in the queues",
  role: "auditor",
  answer: z.object({
    adapter: z.enum(["none", "postgresql", "rabbitmq"]),
    handles_dead: z.boolean().meta({
      description:
        "Whether dead messages can be seen, put back and removed one by one; those of RabbitMQ can only all at once.",
    }),
    items: z.array(z.object({ queue: z.string(), waiting: z.int(), dead: z.int() })),
  }),
  command: { name: "system queues" },
  async handle(_request, { config, queue }) {
    const depths = (await queue?.depths()) ?? [];
    return {
      adapter: config.queue,
      handles_dead: config.queue !== "rabbitmq",
      items: depths.map(({ name, ...depth }) => ({ queue: name, ...depth })),
    };
  },
});

const letter = z.object({
  letter_id: z.int(),
  queue: z.string(),
  attempts: z.int(),
  reason: z.string().meta({ description: "The error of the last attempt." }),
  died_ts: time,
  size_bytes: z.int(),
});

const listLetters = operation({
  id: "dead_letters.list",
  method: "GET",
  path: "/system/dead-letters",
  summary: "Lists messages that could not be done, the newest first",
  description: "Of a queue in PostgreSQL. What is in them is not shown: it is somebody's.",
  role: "auditor",
  query: z.object({ limit: pageQuery.limit, from: pageQuery.from }),
  answer: pageOf(letter),
  command: { name: "system dead-letters" },
  async handle({ query: { limit, from } }, ctx) {
    const before = from === undefined ? undefined : readCursor(from, z.tuple([z.int()]))[0];
    const rows = await listDead(ctx, { limit: limit + 1, before });
    const items = rows.slice(0, limit);
    const last = rows.length > limit ? items.at(-1) : undefined;
    return { items, ...(last ? { next: cursorOf([last.letter_id]) } : {}) };
  },
});

const gone = () => matrixError("M_NOT_FOUND", "There is no such message: it was put back or removed meanwhile.");

function numberOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw matrixError("M_INVALID_PARAM", "A message is named by its number.");
  return Number(text);
}

const retry = operation({
  id: "dead_letters.retry",
  method: "POST",
  path: "/system/dead-letters/:letterId/retry",
  summary: "Puts a message back into its queue, as if it were new",
  role: "operator",
  body: z.object({ reason: reasonSchema.optional() }),
  answer: letter,
  command: { name: "system dead-letter retry", arguments: ["letterId"] },
  async handle({ params: { letterId }, audit }, ctx) {
    const put = await retryDead(ctx, numberOf(letterId));
    if (!put) throw gone();
    ctx.bus.publish("queue", put.queue);
    audit({ before: put });
    return put;
  },
});

const discard = operation({
  id: "dead_letters.discard",
  method: "POST",
  path: "/system/dead-letters/:letterId/discard",
  summary: "Removes a message for good",
  description:
    "What somebody sent or read is lost with it: a client that waits for it was told of the failure long ago.",
  role: "operator",
  body: z.object({ reason: reasonSchema }),
  answer: letter,
  command: { name: "system dead-letter discard", arguments: ["letterId"] },
  async handle({ params: { letterId }, audit }, ctx) {
    const removed = await discardDead(ctx, numberOf(letterId));
    if (!removed) throw gone();
    audit({ before: removed });
    return removed;
  },
});

/** Throws M_NOT_FOUND where nothing goes through a queue here, or through another one. */
function queueOf({ queue }: Context, name: string): { queue: Queue; name: QueueName } {
  const known = queueNames.find((each) => each === name);
  if (!queue || !known)
    throw matrixError(
      "M_NOT_FOUND",
      `There is no such queue. Those of a server with one are ${queueNames.join(", ")}.`,
    );
  return { queue, name: known };
}

const retryAll = operation({
  id: "dead_letters.retry_all",
  method: "POST",
  path: "/system/queues/:queue/retry-dead",
  summary: "Puts the messages of a queue back that could not be done, the oldest first, as if they were new",
  description: `At most ${limits.deadRetried_messages} at a time: \`left\` says how many are still dead. Of a queue in RabbitMQ too.`,
  role: "operator",
  body: z.object({ reason: reasonSchema.optional() }),
  answer: z.object({ queue: z.string(), put_back: z.int(), left: z.int() }),
  command: { name: "system queue retry", arguments: ["queue"] },
  async handle({ params, audit }, ctx) {
    const { queue, name } = queueOf(ctx, params.queue);
    const put_back = await queue.retryDead(name, limits.deadRetried_messages);
    audit({ after: { put_back } });
    const left = (await queue.depths()).find((each) => each.name === name)?.dead ?? 0;
    return { queue: name, put_back, left };
  },
});

const discardAll = operation({
  id: "dead_letters.discard_all",
  method: "POST",
  path: "/system/queues/:queue/discard-dead",
  summary: "Removes the messages of a queue for good that could not be done",
  description: "What people sent or read is lost with them. Of a queue in RabbitMQ too.",
  role: "operator",
  body: z.object({ reason: reasonSchema }),
  answer: z.object({ queue: z.string(), removed: z.int() }),
  command: { name: "system queue discard", arguments: ["queue"] },
  async handle({ params, audit }, ctx) {
    const { queue, name } = queueOf(ctx, params.queue);
    const removed = await queue.discardDead(name);
    audit({ after: { removed } });
    return { queue: name, removed };
  },
});

export const operations: readonly Operation[] = [queues, listLetters, retry, discard, retryAll, discardAll];
