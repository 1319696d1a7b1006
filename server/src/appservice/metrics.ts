/** What is counted about application services. Their ids are few, and an operator chose them. */
import { Counter, Gauge } from "prom-client";
import type { Context } from "../context.ts";

export interface ServiceMetrics {
  /** Transactions, by whether the service took them. */
  transactions: Counter<"service" | "outcome">;
  /** Entries of the log between what a service was sent and the end, for those that this process sends to. */
  backlog: Gauge<"service">;
}

const made = new WeakMap<Context["metrics"], ServiceMetrics>();

/** Made once for each process. */
export function serviceMetrics(ctx: Pick<Context, "metrics">): ServiceMetrics {
  const known = made.get(ctx.metrics);
  if (known) return known;
  const registers = [ctx.metrics.registry];
  const metrics: ServiceMetrics = {
    transactions: new Counter({
      name: "parley_appservice_transactions_total",
      help: "Transactions that were sent to application services",
      labelNames: ["service", "outcome"],
      registers,
    }),
    backlog: new Gauge({
      name: "parley_appservice_backlog_entries",
      help: "How far behind the end of the log an application service is",
      labelNames: ["service"],
      registers,
    }),
  };
  made.set(ctx.metrics, metrics);
  return metrics;
}
