/**
 * What the server takes from the outside world besides its adapters: time, chance and timers. They are handed in, never
 * reached for, so that a simulation can run the same code on a virtual clock with a seeded generator.
 */
import { randomBytes, randomInt } from "node:crypto";
import { performance } from "node:perf_hooks";

/** A timer that can be called off; calling it off twice does nothing. */
export interface Timer {
  cancel(): void;
}

export interface Seams {
  /** Wall-clock time in milliseconds since 1970. It may jump: order by position, never by this. */
  now_ms(): number;
  /** Time that only moves forward, for durations and deadlines. */
  monotonic_ms(): number;
  /** Unpredictable bytes. */
  randomBytes(length: number): Buffer;
  /** An even integer in [0, below). */
  randomInt(below: number): number;
  /** Runs `action` once after `delay_ms`. A pending timer does not keep the process alive. */
  after(delay_ms: number, action: () => void): Timer;
  /** Runs `action` again and again, `every_ms` apart. */
  every(every_ms: number, action: () => void): Timer;
}

/** Short requests are served from bytes that were asked for together: one call costs far more than its bytes. */
const POOL_BYTES = 8_192;
const POOLED_BYTES = 64;

/** Unpredictable bytes, none of them handed out twice. */
function openRandomPool(): (length: number) => Buffer {
  let pool = Buffer.alloc(0);
  let used = 0;
  return (length) => {
    if (length > POOLED_BYTES) return randomBytes(length);
    if (used + length > pool.length) {
      pool = randomBytes(POOL_BYTES);
      used = 0;
    }
    used += length;
    return pool.subarray(used - length, used);
  };
}

/** How far Node's timers reach, almost 25 days. One that is set further off comes at once: what plans the next then never rests. */
const LONGEST_MS = 2 ** 31 - 1;

function afterLong(delay_ms: number, action: () => void): Timer {
  let timer: Timer = realSeams.after(LONGEST_MS, () => (timer = realSeams.after(delay_ms - LONGEST_MS, action)));
  return { cancel: () => timer.cancel() };
}

/** The real world. */
export const realSeams: Seams = {
  now_ms: () => Date.now(),
  monotonic_ms: () => performance.now(),
  randomBytes: openRandomPool(),
  randomInt: (below) => randomInt(below),
  after(delay_ms, action) {
    if (delay_ms > LONGEST_MS) return afterLong(delay_ms, action);
    const handle = setTimeout(action, delay_ms).unref();
    return { cancel: () => clearTimeout(handle) };
  },
  every(every_ms, action) {
    const handle = setInterval(action, Math.min(every_ms, LONGEST_MS)).unref();
    return { cancel: () => clearInterval(handle) };
  },
};

/** A random url-safe text with `bytes` bytes of chance in it. */
export function randomToken(seams: Seams, bytes: number): string {
  return seams.randomBytes(bytes).toString("base64url");
}

/** Resolves after `delay_ms`, or rejects with the signal's reason as soon as it aborts. */
export function pause(seams: Seams, delay_ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = seams.after(delay_ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
