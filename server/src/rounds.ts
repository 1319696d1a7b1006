/** Work in the background that is done again and again: what fails is said in the log, and tried again with the next round. */
import type { Context } from "./context.ts";
import { asError } from "./errors.ts";
import type { Timer } from "./seams.ts";

export interface Rounds {
  /** How long it is until the next round begins; asked when the one before is over. */
  wait_ms(): number;
  act(): Promise<unknown>;
  /** What is said when a round fails: "old jobs could not be forgotten". */
  failed: string;
  /** The first round begins at once. */
  isAtOnce?: boolean;
}

const MINUTE_MS = 60_000;

/** Does rounds, never two at the same time. Gives what ends them: it resolves when the round that goes on is over. */
export function startRounds({ seams, logger }: Pick<Context, "seams" | "logger">, rounds: Rounds): () => Promise<void> {
  let timer: Timer | undefined;
  let running: Promise<void> = Promise.resolve();
  let isOver = false;

  const plan = (): void => {
    if (!isOver) timer = seams.after(rounds.wait_ms(), begin);
  };
  const failed = (thrown: unknown) => logger.warn({ reason: asError(thrown).message }, rounds.failed);
  const begin = (): void => {
    running = rounds
      .act()
      .then(() => {}, failed)
      .finally(plan);
  };

  if (rounds.isAtOnce) begin();
  else plan();
  return async () => {
    isOver = true;
    timer?.cancel();
    await running;
  };
}

/** One round in each minute, `delay_ms` after it begins by the clock of this process; for `wait_ms`. */
export function eachMinute({ seams }: Pick<Context, "seams">, delay_ms: number): () => number {
  return () => MINUTE_MS - (seams.now_ms() % MINUTE_MS) + delay_ms;
}
