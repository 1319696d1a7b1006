/**
 * Rate limits: one token bucket for each kind of request and each session or address, which all replicas share, in one of two
 * ways.
 *
 * - *Strict* (`strictRates`: what guards passwords and accounts): each token comes from the shared bucket, one round trip.
 * - *Loose* (all others, sends among them): tokens come from this process's own bucket, without waiting for anything. What it
 *   has spent is brought to the shared one every `limits.bucketsShare_ms`, once it is a tenth of the burst, and the answer sets the
 *   own one right. So at most a tenth of the burst and what is spent between two of these is too much, for each replica.
 *
 * While the store is away each process has its own buckets.
 */
import { LRUCache } from "lru-cache";
import { atMost } from "./bounded.ts";
import type { Ephemeral } from "./ephemeral/ephemeral.ts";
import { type MatrixError, matrixError } from "./errors.ts";
import { limits, type Rate, strictRates } from "./limits.ts";
import type { Seams } from "./seams.ts";

type Key = string | number;

export interface Rates {
  /** Takes one token, or throws M_LIMIT_EXCEEDED with the time until the next one. Waits for the store where the rate is strict. */
  admit(rate: Rate, key: Key): Promise<void>;
  /** As `admit` for a strict rate, but leaves the token: for what counts only when it fails. */
  check(rate: Rate, key: Key): Promise<void>;
  /** As `admit` for a rate that is not strict, at once. */
  take(rate: Rate, key: Key): void;
  close(): void;
}

export interface RatesOptions {
  seams: Seams;
  /** Where the buckets of all replicas are. */
  shared: Pick<Ephemeral, "spend">;
  /** With false every request passes: for benchmarks and test suites. */
  isEnabled: boolean;
}

interface Bucket {
  rate: Rate;
  tokens: number;
  at_ms: number;
  /** Spent here, and not yet brought to the shared bucket. */
  unshared: number;
}

export function createRates({ seams, shared, isEnabled }: RatesOptions): Rates {
  const buckets = openBuckets(seams);
  const sharing = openSharing({ seams, shared, fill: buckets.fill });

  /** Takes the tokens, 1 or none, where there is one: here, and then from the shared bucket. */
  async function takeStrictly(rate: Rate, key: Key, tokens: 0 | 1): Promise<void> {
    const name = `${rate} ${key}`;
    const bucket = buckets.filled(rate, name);
    const found = await shared.spend([{ name, ...limits.rates[rate], tokens, isSpent: false }]);
    const one = found?.[0];
    if (one && one.tokens + (one.isTaken ? tokens : 0) < 1) throw refusal(rate, one.tokens);
    bucket.tokens -= tokens;
  }

  function take(rate: Rate, key: Key): void {
    const name = `${rate} ${key}`;
    const bucket = buckets.filled(rate, name);
    bucket.tokens -= 1;
    sharing.note(name, bucket);
  }

  return {
    async admit(rate, key) {
      if (!isEnabled) return;
      if (strictRates.has(rate)) await takeStrictly(rate, key, 1);
      else take(rate, key);
    },
    async check(rate, key) {
      if (isEnabled) await takeStrictly(rate, key, 0);
    },
    take(rate, key) {
      if (isEnabled) take(rate, key);
    },
    close: () => sharing.close(),
  };
}

function refusal(rate: Rate, tokens: number): MatrixError {
  const retryAfter_ms = ((1 - tokens) / limits.rates[rate].perSecond) * 1_000;
  const seconds = Math.ceil(retryAfter_ms / 1_000);
  return matrixError("M_LIMIT_EXCEEDED", `Too many requests. Try again in ${seconds} s.`, { retryAfter_ms });
}

/** The buckets of this process. */
function openBuckets(seams: Seams) {
  const buckets = new LRUCache<string, Bucket>(atMost(limits.buckets));

  function fill(bucket: Bucket): void {
    const { burst, perSecond } = limits.rates[bucket.rate];
    const now_ms = seams.monotonic_ms();
    bucket.tokens = Math.min(burst, bucket.tokens + ((now_ms - bucket.at_ms) / 1_000) * perSecond);
    bucket.at_ms = now_ms;
    // Full again: the shared one would be too, by what was spent here.
    if (bucket.tokens === burst) bucket.unshared = 0;
  }

  return {
    fill,
    /** The bucket, filled up to now. Throws where it has no whole token. */
    filled(rate: Rate, name: string): Bucket {
      const { burst } = limits.rates[rate];
      const bucket = buckets.get(name) ?? { rate, tokens: burst, at_ms: seams.monotonic_ms(), unshared: 0 };
      buckets.set(name, bucket);
      fill(bucket);
      if (bucket.tokens < 1) throw refusal(rate, bucket.tokens);
      return bucket;
    },
  };
}

interface SharingOptions extends Pick<RatesOptions, "seams" | "shared"> {
  fill(bucket: Bucket): void;
}

/** Brings together what was spent here and elsewhere. There is a timer only while there is something to bring. */
function openSharing({ seams, shared, fill }: SharingOptions) {
  const due = new Map<string, Bucket>();
  let timer: ReturnType<Seams["after"]> | undefined;

  async function share(): Promise<void> {
    const all = [...due];
    due.clear();
    timer = undefined;
    const spendings = all.map(([name, { rate, unshared }]) => ({
      name,
      ...limits.rates[rate],
      tokens: unshared,
      isSpent: true,
    }));
    for (const [, bucket] of all) bucket.unshared = 0;
    const found = await shared.spend(spendings);
    for (const [i, [, bucket]] of all.entries()) {
      fill(bucket);
      // Less what was spent here meanwhile.
      if (found?.[i]) bucket.tokens = Math.min(bucket.tokens, found[i].tokens - bucket.unshared);
    }
  }

  return {
    note(name: string, bucket: Bucket): void {
      bucket.unshared += 1;
      if (bucket.unshared < limits.rates[bucket.rate].burst * limits.bucketsShare_part) return;
      due.set(name, bucket);
      timer ??= seams.after(limits.bucketsShare_ms, () => void share());
    },
    close: () => timer?.cancel(),
  };
}
