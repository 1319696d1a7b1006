import { createSamples } from "./samples.ts";

/** What was counted between two cuts of a meter. */
export interface Cut {
  /** Latencies of what succeeded, ascending, one each: its length is the count. */
  latencies: Float64Array;
  /** What failed, by reason (`429`, `500`, a socket error's code). */
  failures: Record<string, number>;
}

/**
 * Counts successes with their latency, and failures with their reason. Load runs on without a
 * pause; a window is what lies between two cuts, so each success lands in exactly one window: the
 * one in which its answer arrived.
 */
export interface Meter {
  hit(latency_ms: number): void;
  fail(reason: string): void;
  /** Gives what was counted since the last cut and starts anew. */
  cut(): Cut;
}

export function createMeter(): Meter {
  let samples = createSamples();
  let failures: Record<string, number> = {};
  return {
    hit: (latency_ms) => samples.add(latency_ms),
    fail(reason) {
      failures[reason] = (failures[reason] ?? 0) + 1;
    },
    cut() {
      const cut = { latencies: samples.sorted(), failures };
      samples = createSamples();
      failures = {};
      return cut;
    },
  };
}

export function countFailures(failures: Record<string, number>): number {
  return Object.values(failures).reduce((sum, count) => sum + count, 0);
}
