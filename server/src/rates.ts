/** Rate limits: one token bucket for each kind of request and each session or address. */
import { LRUCache } from "lru-cache";
import { matrixError } from "./errors.ts";
import { limits, type Rate } from "./limits.ts";
import type { Seams } from "./seams.ts";

export interface Rates {
  /** Takes one token, or throws M_LIMIT_EXCEEDED with the time until the next one. */
  take(rate: Rate, key: string | number): void;
  /** As `take`, but leaves the token: for what counts only when it fails. */
  check(rate: Rate, key: string | number): void;
}

interface Bucket {
  tokens: number;
  at_ms: number;
}

const BUCKETS = 100_000;

/** With `enabled` false every request passes: for benchmarks and test suites. */
export function createRates(seams: Seams, enabled: boolean): Rates {
  const buckets = new LRUCache<string, Bucket>({ max: BUCKETS });

  /** The bucket, filled up to now. Throws where it has no whole token. */
  function filled(rate: Rate, key: string | number): Bucket {
    const { burst, perSecond } = limits.rates[rate];
    const now_ms = seams.monotonic_ms();
    const name = `${rate} ${key}`;
    const bucket = buckets.get(name) ?? { tokens: burst, at_ms: now_ms };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now_ms - bucket.at_ms) / 1_000) * perSecond);
    bucket.at_ms = now_ms;
    buckets.set(name, bucket);
    if (bucket.tokens >= 1) return bucket;
    const retryAfter_ms = ((1 - bucket.tokens) / perSecond) * 1_000;
    throw matrixError("M_LIMIT_EXCEEDED", `Too many requests. Try again in ${Math.ceil(retryAfter_ms / 1_000)} s.`, {
      retryAfter_ms,
    });
  }

  return {
    take(rate, key) {
      if (enabled) filled(rate, key).tokens -= 1;
    },
    check(rate, key) {
      if (enabled) filled(rate, key);
    },
  };
}
