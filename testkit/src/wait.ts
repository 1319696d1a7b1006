// Waiting for what somebody tells, with a deadline: never by looking again and again.

// Not the global functions, which quiet-sdk.ts changes.
import { clearTimeout, setTimeout } from "node:timers";
import { setTimeout as pause } from "node:timers/promises";

/** Long enough for a machine that is busy with other tests; what is waited for comes in milliseconds. */
const DEADLINE_MS = 20_000;
/** The same where a whole server may stop meanwhile. It is for failing alone: no test succeeds because of it. */
const SOON_MS = 90_000;
/** How long it is until the next look at what nobody tells of. */
const LOOK_MS = 5;

export type Waiting<T> = {
  /** What is waited for, for the error: "bob hears “hello”". */
  what: string;
  /** Gives what was waited for, or undefined or false while it is not there. */
  check: () => T | undefined | false | Promise<T | undefined | false>;
  /** Calls `look` whenever something may have changed. Gives what ends that. */
  listen: (look: () => void) => () => void;
  /** What there is instead, for the error. */
  instead?: () => string;
};

/** Resolves with what `check` gives, as soon as it gives something. Rejects at the deadline, and where `check` throws. */
export function waitFor<T>({ what, check, listen, instead }: Waiting<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const timer = setTimeout(() => {
    reject(new Error(`It did not happen within ${DEADLINE_MS} ms that ${what}.${instead ? `\n${instead()}` : ""}`));
  }, DEADLINE_MS);
  let isLooking = false;
  let isOutdated = false;
  const look = async () => {
    isOutdated = true;
    if (isLooking) return;
    isLooking = true;
    while (isOutdated) {
      isOutdated = false;
      const found = await check();
      if (found !== undefined && found !== false) return resolve(found);
    }
    isLooking = false;
  };
  const lookNow = () => void look().catch(reject);
  const stopListening = listen(lookNow);
  lookNow();
  return promise.finally(() => {
    clearTimeout(timer);
    stopListening();
  });
}

/**
 * Waits for a promise that a test rests on, so that one that never resolves is told in a sentence: `await soon("the lock is free",
 * free)`. Settles as the promise does, and rejects at the deadline.
 */
export function soon<T>(what: string, promise: PromiseLike<T>, instead?: () => string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Error(`It did not happen within ${SOON_MS} ms that ${what}.${instead ? `\n${instead()}` : ""}`));
  }, SOON_MS);
  return Promise.race([promise, late.promise]).finally(() => clearTimeout(timer));
}

/** Looks again and again, where nobody tells of what is waited for. Gives what `check` gave; rejects at the deadline. */
export async function soonFound<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  for (const until_ms = performance.now() + SOON_MS; ; await pause(LOOK_MS)) {
    const found = await soon(what, Promise.resolve(check()));
    if (found !== undefined && found !== false) return found;
    if (performance.now() > until_ms) throw new Error(`It did not happen within ${SOON_MS} ms that ${what}.`);
  }
}
