/** What billing counts, in processes where it is configured. */
import { Counter, Gauge } from "prom-client";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { startRounds } from "../rounds.ts";
import { backlog } from "./queries.ts";

export interface BillingMetrics {
  /** Webhooks, by what became of them: stored, known before, about another customer, or refused. */
  webhooks: Counter<"outcome">;
  /** Runs of handlers, by how they ended. */
  runs: Counter<"handler" | "outcome">;
  /** Events that were in the provider's list and had never arrived. */
  missed: Counter;
  /** Whether this process has the lease. */
  holds: Gauge;
}

const made = new WeakMap<Context["metrics"], BillingMetrics>();

/** Made once for each process. */
export function billingMetrics(ctx: Pick<Context, "metrics">): BillingMetrics {
  const known = made.get(ctx.metrics);
  if (known) return known;
  const registers = [ctx.metrics.registry];
  const metrics: BillingMetrics = {
    webhooks: new Counter({
      name: "parley_billing_webhooks_total",
      help: "Events of the payment provider that arrived",
      labelNames: ["outcome"],
      registers,
    }),
    runs: new Counter({
      name: "parley_billing_runs_total",
      help: "Runs of the handlers of events",
      labelNames: ["handler", "outcome"],
      registers,
    }),
    missed: new Counter({
      name: "parley_billing_missed_events_total",
      help: "Events that never arrived, and were found in the provider's list",
      registers,
    }),
    holds: new Gauge({
      name: "parley_billing_lease",
      help: "Whether this process does the work of billing",
      registers,
    }),
  };
  made.set(ctx.metrics, metrics);
  return metrics;
}

interface BacklogGauges {
  oldest: Gauge;
  dead: Gauge;
  streamAge: Gauge;
}

function backlogGauges(registers: Context["metrics"]["registry"][]): BacklogGauges {
  return {
    oldest: new Gauge({
      name: "parley_billing_oldest_waiting_seconds",
      help: "How long the oldest event or report of usage has waited to be handled",
      registers,
    }),
    dead: new Gauge({
      name: "parley_billing_dead_deliveries",
      help: "Events that a handler could not handle, and that nobody has looked after",
      registers,
    }),
    streamAge: new Gauge({
      name: "parley_billing_stream_age_seconds",
      help: "How long ago the provider's list of events was read",
      registers,
    }),
  };
}

/**
 * Looks now and again how far behind the work is, so that a process tells it too that does not work on it; gives the function that
 * ends it. What was seen last stays while the database is away.
 */
export function watchBacklog(ctx: Context): () => Promise<void> {
  const gauges = backlogGauges([ctx.metrics.registry]);
  const act = async () => {
    const { oldest_s, dead, streamAge_s } = await backlog(ctx.db.billing);
    gauges.oldest.set(oldest_s);
    gauges.dead.set(dead);
    gauges.streamAge.set(streamAge_s);
  };
  const failed = "it can not be seen how far behind billing is";
  return startRounds(ctx, { wait_ms: () => limits.billingLook_ms, act, failed, isAtOnce: true });
}
