/** Work in the background that is done again and again: what fails is said in the log, and tried again with the next round. */
import type { Context } from "./context.ts";
import { asError } from "./errors.ts";
import type { Timer } from "./seams.ts";

/** A round is to begin within so many milliseconds, also where the next one was planned for later. */
export type Wake = (within_ms: number) => void;

export interface Rounds {
  /** How long it is until the next round begins; asked when the one before is over. */
  wait_ms(): number;
  act(): Promise<unknown>;
  /** What is said when a round fails: "old jobs could not be forgotten". */
  failed: string;
  /** The first round begins at once. */
  isAtOnce?: boolean;
  /** Has `wake` called for what can not wait until the next round; gives what ends that. */
  wokenBy?(wake: Wake): () => void;
}

const MINUTE_MS = 60_000;

/** Does rounds, never two at the same time. Gives what ends them: it resolves when the round that goes on is over. */
export function startRounds({ seams, logger }: Pick<Context, "seams" | "logger">, rounds: Rounds): () => Promise<void> {
  let timer: Timer | undefined;
  /** On the monotonic clock: when the next round begins, and where one goes on, when another one was asked for since it began. */
  let next_ms = Infinity;
  let running: Promise<void> = Promise.resolve();
  let isRunning = false;
  let isOver = false;

  const planIn = (delay_ms: number): void => {
    next_ms = seams.monotonic_ms() + delay_ms;
    timer = seams.after(delay_ms, begin);
  };
  const plan = (): void => {
    isRunning = false;
    if (!isOver) planIn(Math.min(Math.max(0, next_ms - seams.monotonic_ms()), rounds.wait_ms()));
  };
  const failed = (thrown: unknown) => logger.warn({ reason: asError(thrown).message }, rounds.failed);
  const begin = (): void => {
    isRunning = true;
    next_ms = Infinity;
    running = rounds
      .act()
      .then(() => {}, failed)
      .finally(plan);
  };
  const unsubscribe = rounds.wokenBy?.((within_ms) => {
    const at_ms = seams.monotonic_ms() + within_ms;
    if (at_ms >= next_ms || isOver) return;
    if (isRunning) return void (next_ms = at_ms);
    timer?.cancel();
    planIn(within_ms);
  });

  if (rounds.isAtOnce) begin();
  else plan();
  return async () => {
    isOver = true;
    unsubscribe?.();
    timer?.cancel();
    await running;
  };
}

/** One round in each minute, `delay_ms` after it begins by the clock of this process; for `wait_ms`. */
export function eachMinute({ seams }: Pick<Context, "seams">, delay_ms: number): () => number {
  return () => MINUTE_MS - (seams.now_ms() % MINUTE_MS) + delay_ms;
}
