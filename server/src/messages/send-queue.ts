/**
 * A send by way of the queue `chat.messages`: the process that was asked publishes it, one of the `messages` workers appends it,
 * and the answer goes out after the commit, as without a queue. Sends that come together travel together (send-packs.ts).
 *
 * How the asking process learns of the commit: it follows the log anyway, and there the event comes along under the id that it was
 * given here. What it had to fetch it looks at once more, in a way that waits for the standby. What the log does not say (a refusal, or that this was a retry of an event under another id) the worker tells on
 * the bus, which may lose it. So after `limits.queuedLook_ms` a retry is looked for in the log, and whoever has waited for
 * `limits.queuedSend_ms` appends the event itself: the transaction makes
 * that the same event, or brings the same refusal. The same goes for a queue that can not be reached. The queue may fail in any way,
 * and costs time only.
 */
import { readMessage } from "../bus/bus.ts";
import type { Context } from "../context.ts";
import { asError, type Errcode, MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { readSurely } from "../log/queries.ts";
import type { Queue } from "../queue/queue.ts";
import { type Packed, publishing, readPack, sendingOf } from "./send-packs.ts";
import { append, commit, earlier, type Sending } from "./sending.ts";

/** What became of a send, where the log does not say it. */
interface Outcome {
  /** Which send: the id that its event was to get. */
  sent: string;
  /** The id that the event has from an earlier time. */
  eventId?: string;
  refusal?: Refusal;
}

interface Refusal {
  errcode: Errcode;
  message: string;
  status: number;
  retryAfter_ms?: number | undefined;
  fields: Record<string, unknown>;
}

/** Hands the send to the workers, and gives the id of its event when it is committed and known here. Throws what they refuse with. */
export async function sendThroughQueue(ctx: Context, sending: Sending): Promise<string> {
  const answer = answersOf(ctx).wait(sending.eventId);
  try {
    await publishing(ctx)(sending);
  } catch (thrown) {
    answer.forget();
    answersOf(ctx).noteUnqueued(asError(thrown).message);
    return append(ctx, sending);
  }
  const look = ctx.seams.after(limits.queuedLook_ms, () => {
    // Where it can not be looked for it is waited for.
    void earlier(ctx, sending).then(answer.tell, () => {});
  });
  const eventId = await answer.received.finally(() => look.cancel());
  return eventId ?? append(ctx, sending);
}

interface Waiting {
  resolve(eventId: string | undefined): void;
  reject(error: Error): void;
}

interface Answers {
  /** `received` gives the event's id, or undefined when nobody told in time; it rejects with a refusal. */
  wait(sent: string): {
    received: Promise<string | undefined>;
    tell(eventId: string | undefined): void;
    forget(): void;
  };
  /** Counts a send that the queue did not take, and says so now and then: there may be thousands of them. */
  noteUnqueued(reason: string): void;
}

const known = new WeakMap<Context, Answers>();

/** The answers that this process waits for; it begins to listen with the first. */
function answersOf(ctx: Context): Answers {
  let answers = known.get(ctx);
  if (!answers) known.set(ctx, (answers = openAnswers(ctx)));
  return answers;
}

function openAnswers({ db, log, bus, seams, logger }: Context): Answers {
  const waiting = new Map<string, Waiting>();
  const unqueued = { sends: 0, told_ms: Number.NEGATIVE_INFINITY };
  log.followAll();
  const resolveAll = (sent: readonly string[]) => {
    for (const eventId of sent) waiting.get(eventId)?.resolve(eventId);
  };
  log.hub.listen((entries, came) => {
    if (waiting.size === 0) return;
    const sent = entries.flatMap(({ eventId }) => (eventId && waiting.has(eventId) ? [eventId] : []));
    if (came === "offered" || sent.length === 0) return resolveAll(sent);
    // Where that can not be read, those who wait are looked for one by one, and appended again in the end.
    readSurely(db.log, sent).then(resolveAll, (thrown: unknown) => {
      logger.warn({ reason: asError(thrown).message }, "sends in the log could not be made sure of yet");
    });
  });
  bus.subscribe("sent", (message) => {
    const { sent, eventId, refusal } = readMessage<Outcome>(message) ?? {};
    const asked = sent === undefined ? undefined : waiting.get(sent);
    // What another release says otherwise is found out as what the bus has lost.
    if (refusal) asked?.reject(errorOf(refusal));
    else if (eventId) asked?.resolve(eventId);
  });
  return {
    wait(sent) {
      const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
      const timer = seams.after(limits.queuedSend_ms, () => resolve(undefined));
      const forget = () => {
        waiting.delete(sent);
        timer.cancel();
      };
      waiting.set(sent, { resolve, reject });
      const received = promise.finally(forget);
      // A refusal may come before the queue has confirmed, when nobody looks at this yet.
      received.catch(() => {});
      return { received, tell: (eventId) => eventId !== undefined && resolve(eventId), forget };
    },
    noteUnqueued(reason) {
      unqueued.sends += 1;
      if (seams.monotonic_ms() - unqueued.told_ms < limits.queueTell_ms) return;
      logger.warn({ reason, sends: unqueued.sends }, "sends could not be queued and are appended here");
      unqueued.sends = 0;
      unqueued.told_ms = seams.monotonic_ms();
    },
  };
}

/**
 * Takes sends from the queue and appends them. What arrives together is appended together: the log's lanes make one append of
 * it. Gives the function that ends it.
 */
export function startSendWorker(ctx: Context, queue: Queue): () => Promise<void> {
  const consumer = queue.consume("chat.messages", async ({ body, format }) => {
    const sends = readPack(body);
    const settled = await Promise.allSettled(sends.map((each) => appendQueued(ctx, sendingOf(each))));
    const failed: { packed: Packed; reason: unknown }[] = [];
    for (const [i, each] of settled.entries()) {
      if (each.status === "rejected") failed.push({ packed: sends[i] as Packed, reason: each.reason });
      else if (each.value) ctx.bus.publish("sent", JSON.stringify(each.value));
    }
    if (failed.length === 0) return;
    if (sends.length === 1) throw failed[0]?.reason;
    // Each by itself from here on: one that can never be done must not take others along among the dead. As it came, with what only
    // another release knows of it.
    const again = failed.map(({ packed }) => JSON.stringify([packed]));
    await Promise.all(again.map((each) => queue.publish("chat.messages", each, format)));
  });
  return () => consumer.close();
}

/** Gives what the log does not say. Only what nobody expected is thrown: it comes again, and is dead in the end. */
async function appendQueued(ctx: Context, sending: Sending): Promise<Outcome | undefined> {
  const sent = sending.eventId;
  try {
    const eventId = await commit(ctx, sending);
    return eventId === sent ? undefined : { sent, eventId };
  } catch (thrown) {
    // Also what may pass, such as a database that is away: whoever asked is told so, and asks again.
    if (thrown instanceof MatrixError) return { sent, refusal: refusalOf(thrown) };
    throw thrown;
  }
}

function refusalOf({ errcode, message, status, retryAfter_ms, fields }: MatrixError): Refusal {
  return { errcode, message, status, retryAfter_ms, fields };
}

function errorOf({ errcode, message, status, retryAfter_ms, fields }: Refusal): MatrixError {
  return new MatrixError(errcode, message, {
    status,
    fields,
    ...(retryAfter_ms === undefined ? {} : { retryAfter_ms }),
  });
}
