/** A store that is away: said once, not tried again by every request, and said again when it is back. */
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Logger } from "../logger.ts";
import type { Seams } from "../seams.ts";

export interface Health {
  isAway(): boolean;
  /** Asks the store; undefined where it fails or does not answer in time, and then it counts as away. Never rejects. */
  ask<T>(question: () => Promise<T>): Promise<T | undefined>;
}

export interface HealthOptions {
  /** The store, as an operator would call it. */
  name: string;
  seams: Seams;
  logger: Pick<Logger, "warn">;
  /** The store has just become unreachable. */
  onAway(): void;
}

export function openHealth({ name, seams, logger, onAway }: HealthOptions): Health {
  let isAway = false;
  return {
    isAway: () => isAway,
    async ask(question) {
      try {
        const answer = await within(seams, question());
        if (isAway) logger.warn({ store: name }, "the store of presence, typing and limits is back");
        isAway = false;
        return answer;
      } catch (thrown) {
        if (isAway) return undefined;
        isAway = true;
        logger.warn(
          { store: name, reason: asError(thrown).message },
          "the store of presence, typing and limits is away: presence stands still, and limits are those of each process",
        );
        onAway();
        return undefined;
      }
    },
  };
}

function within<T>(seams: Seams, answer: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = seams.after(limits.ephemeralAnswer_ms, () => reject(new Error("it did not answer in time")));
  return Promise.race([answer, late]).finally(() => timer.cancel());
}
