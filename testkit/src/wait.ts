// Waiting for what somebody tells, with a deadline: never by looking again and again.

// Not the global functions, which quiet-sdk.ts changes.
import { clearTimeout, setTimeout } from "node:timers";

/** Long enough for a machine that is busy with other tests; what is waited for comes in milliseconds. */
const DEADLINE_MS = 20_000;

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
