/**
 * The work of billing, in every process that may do it: whoever gets the lease does it, the others look again and again whether it is
 * free. While somebody works a timer keeps the lease; when it is lost, whatever was begun is left to whoever has it now.
 */
import type { Context } from "../context.ts";
import type { Database } from "../db/database.ts";
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Logger } from "../logger.ts";
import { pause, randomToken, type Seams } from "../seams.ts";
import type { Billing } from "../settings/read-billing.ts";
import { openStripe } from "./client.ts";
import { type Delivering, deliverNext } from "./deliveries.ts";
import { type Lease, LeaseLost, leaveLease, takeLease } from "./lease.ts";
import { billingMetrics, type BillingMetrics, watchBacklog } from "./metrics.ts";
import { lookThrough } from "./look-through.ts";
import { followStream } from "./stream.ts";
import { measureUsage, reportUsage } from "./usage.ts";

export interface WorkerParts {
  db: Pick<Database, "billing" | "auth" | "media">;
  config: Billing;
  serverName: string;
  seams: Seams;
  logger: Pick<Logger, "warn" | "info">;
  metrics?: Pick<BillingMetrics, "runs" | "missed" | "holds">;
  /** How long the lease lasts, and how often Stripe's list is read: those of limits.ts, but for tests. */
  lease_ms?: number;
  stream_ms?: number;
  /** How long a part of the work rests after it failed. */
  rest_ms?: number;
  /** Ends the work after the step that it is at. */
  signal?: AbortSignal;
  /** Told of each step, so that a test can end the process there. */
  reached?(step: string): void;
}

export interface Worker {
  holder: string;
  /**
   * Does all that is due, if nobody else has the lease. Gives whether this process has it. A part that fails is tried again later and
   * keeps no other part from its work.
   */
  turn(): Promise<boolean>;
  /** Gives the lease back. */
  leave(): Promise<void>;
}

type Work = (lease: Lease) => Promise<boolean>;

export function openWorker(parts: WorkerParts): Worker {
  const { db, seams, metrics, lease_ms = limits.billingLease_ms } = parts;
  const holder = randomToken(seams, 12);
  let lease: Lease | undefined;
  const take = () => takeLease(db.billing, holder, lease_ms);
  /** Throws LeaseLost where the lease is somebody else's, or was for a moment. */
  const keep = async () => {
    const kept = await take();
    if (!kept || kept.fence !== lease?.fence) throw new LeaseLost();
  };
  /** What goes wrong here shows at the next write: the fence is what counts. */
  const keepQuietly = () => void keep().catch(() => {});
  const workOff = openWorks(parts, keep);
  return {
    holder,
    async turn() {
      lease = await take();
      metrics?.holds.set(lease ? 1 : 0);
      if (!lease) return false;
      parts.reached?.("lease taken");
      const keeping = seams.every(lease_ms / 3, keepQuietly);
      try {
        await workOff(lease);
        return true;
      } catch (thrown) {
        if (!(thrown instanceof LeaseLost)) throw thrown;
        return false;
      } finally {
        keeping.cancel();
      }
    },
    async leave() {
      if (lease) await leaveLease(db.billing, lease);
    },
  };
}

/** Gives the function that works off all that is due. Throws LeaseLost. */
function openWorks(parts: WorkerParts, keep: () => Promise<void>): (lease: Lease) => Promise<void> {
  const { seams, logger, rest_ms = limits.billingRest_ms } = parts;
  const works = worksOf(parts, keep);
  /** Until when each rests. */
  const resting = new Map<Work, number>();
  return async (lease) => {
    for (const work of works.filter((each) => (resting.get(each) ?? 0) <= seams.monotonic_ms()))
      try {
        while (!parts.signal?.aborted && (await work(lease))) await keep();
      } catch (thrown) {
        if (thrown instanceof LeaseLost) throw thrown;
        resting.set(work, seams.monotonic_ms() + rest_ms);
        logger.warn({ reason: asError(thrown).message }, "some work of billing failed; it is tried again");
      }
  };
}

/** What this process is there for. Each does one thing that is due, and says whether there was one. */
function worksOf(parts: WorkerParts, keep: () => Promise<void>): Work[] {
  const { db, config, seams, serverName, metrics, stream_ms = limits.billingStream_ms } = parts;
  const stripe = openStripe(config);
  const reached = parts.reached ?? (() => {});
  const settled: Delivering["settled"] = (handler, outcome) => metrics?.runs.inc({ handler, outcome });
  const found = () => metrics?.missed.inc();
  const delivering = { db: db.billing, stripe, seams, reached, settled };
  const following = { db: db.billing, stripe, customerId: config.customerId, reached, found, keep };
  const using = { db, config, serverName, stripe, seams, reached };
  const replaying: Work[] = [(lease) => followStream(following, lease, stream_ms)];
  const handling: Work[] = [
    (lease) => deliverNext(delivering, lease),
    (lease) => measureUsage(using, lease),
    (lease) => reportUsage(using, lease),
  ];
  // The last: what events tell is younger than what is known, and needs no question to Stripe.
  const looking: Work = (lease) =>
    lookThrough({ db: db.billing, stripe, customerId: config.customerId, reached, keep }, lease);
  return [
    ...(config.replays ? replaying : []),
    ...(config.handles ? handling : []),
    ...(config.replays ? [looking] : []),
  ];
}

/** Starts what a process does of billing; gives the function that ends it, after the step that it is at. */
export async function startBilling(ctx: Context, config: Billing): Promise<() => Promise<void>> {
  billingMetrics(ctx);
  const endWatching = watchBacklog(ctx);
  const endWorking = config.handles || config.replays ? startWorker(ctx, config) : async () => {};
  return async () => void (await Promise.all([endWatching(), endWorking()]));
}

function startWorker(ctx: Context, config: Billing): () => Promise<void> {
  const { db, seams, logger } = ctx;
  const ending = new AbortController();
  const { signal } = ending;
  const { serverName } = ctx.config;
  const worker = openWorker({ db, config, serverName, seams, logger, metrics: billingMetrics(ctx), signal });
  const run = async () => {
    while (!signal.aborted) {
      await worker.turn().catch((thrown: unknown) => {
        logger.warn({ reason: asError(thrown).message }, "billing can not work; it tries again");
      });
      // Not all at once: they would go on meeting each other.
      const wait_ms = limits.billingPoll_ms / 2 + seams.randomInt(limits.billingPoll_ms);
      await pauseUnless(signal, seams, wait_ms);
    }
  };
  const ended = run();
  return async () => {
    ending.abort(new Error("the server is stopping"));
    // An answer of Stripe's may take longer. Without the lease it changes nothing any more.
    await Promise.race([ended, pause(seams, limits.billingStop_ms)]);
    await worker.leave();
  };
}

async function pauseUnless(signal: AbortSignal, seams: Seams, wait_ms: number): Promise<void> {
  try {
    await pause(seams, wait_ms, signal);
  } catch {
    // It was called off.
  }
}
