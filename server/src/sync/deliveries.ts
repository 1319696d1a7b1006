/** How long news travel: from their acceptance by some process to the clients of this one. */
import type { Context } from "../context.ts";
import type { LogEntry } from "../log/entry.ts";
import type { Told } from "../tracing/tracing.ts";

/**
 * Clients were just told these events, which stand above `after`, up to `upTo`. The delay of each is counted once for an answer
 * of a sync and once for a round of the stream, however many clients the round told. Acceptance is by the clock of the process
 * that took the event: between machines the delay is as right as their clocks.
 */
export function noteDeliveries({ metrics, seams, tracing }: Context, told: Told, events: Iterable<LogEntry>): void {
  tracing?.delivered(told);
  const now_ms = seams.now_ms();
  for (const { ts } of events)
    if (ts !== null) metrics.delivery_s.observe({ via: told.via }, Math.max(0, now_ms - ts) / 1_000);
}
