/** What is counted of notifications. */
import { Counter, Gauge } from "prom-client";
import type { Context } from "../../context.ts";

export interface PushMetrics {
  /** Notifications that were put in the queue, by what they tell. */
  queued: Counter<"what">;
  /** Attempts: sent, failed, rejected (the pusher is gone), or dropped because they were too old or their event is gone. */
  sends: Counter<"kind" | "outcome">;
  /** Whether this process looks through the log. */
  holds: Gauge;
}

const made = new WeakMap<Context["metrics"], PushMetrics>();

/** Made once for each process. */
export function pushMetrics({ metrics }: Pick<Context, "metrics">): PushMetrics {
  const known = made.get(metrics);
  if (known) return known;
  const registers = [metrics.registry];
  const push: PushMetrics = {
    queued: new Counter({
      name: "parley_push_queued_total",
      help: "Notifications that were put in the queue",
      labelNames: ["what"],
      registers,
    }),
    sends: new Counter({
      name: "parley_push_sends_total",
      help: "Notifications by what became of them",
      labelNames: ["kind", "outcome"],
      registers,
    }),
    holds: new Gauge({
      name: "parley_push_lease",
      help: "Whether this process looks through the log for notifications",
      registers,
    }),
  };
  made.set(metrics, push);
  return push;
}
