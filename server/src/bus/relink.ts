/**
 * Keeps one connection to a broker. The states:
 *
 * - *linked*: there is a connection that carries packets. Ends when it is lost, or closed.
 * - *waiting*: there is none, and a timer runs. Ends with an attempt.
 * - *trying*: an attempt is under way. Ends linked, or waiting for longer than before.
 * - *closed*: for good.
 *
 * The delays grow and are random, so that all processes do not come back to a broker in the same moment.
 */
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Seams, Timer } from "../seams.ts";

interface Closable {
  close(): Promise<void>;
}

export interface RelinkOptions<Link extends Closable> {
  seams: Seams;
  /** One attempt. `lose` is for the connection that it makes, at any later time. */
  connect(lose: (reason: Error) => void): Promise<Link>;
  onLinked(link: Link): void;
  /** Called once when a connection is lost, and not for the attempts that fail afterwards. */
  onLost(reason: Error): void;
  /** Whether the first connection may come later, after this failure to make it. If it is not given, it may not. */
  mayBeginWithout?(reason: Error): Promise<boolean>;
}

export interface Relinked<Link> {
  /** The connection, while there is one. */
  current(): Link | undefined;
  close(): Promise<void>;
}

/** Makes the first connection, and rejects where it has to be there and can not be made; from then on it is made anew whenever
 *  it is lost. */
export async function keepLinked<Link extends Closable>(options: RelinkOptions<Link>): Promise<Relinked<Link>> {
  const { seams } = options;
  let current: Link | undefined;
  let failures = 0;
  let timer: Timer | undefined;
  let closed = false;

  async function attempt(): Promise<void> {
    let lostAlready: Error | undefined;
    let isLinked = false;
    const link = await options.connect((reason) => {
      lostAlready ??= reason;
      if (isLinked && link === current) lose(reason);
    });
    if (lostAlready || closed) {
      void link.close();
      throw lostAlready ?? new Error("the bus is closed");
    }
    isLinked = true;
    current = link;
    failures = 0;
    options.onLinked(link);
  }

  function lose(reason: Error): void {
    void current?.close();
    current = undefined;
    options.onLost(reason);
    wait();
  }

  function wait(): void {
    if (closed) return;
    const most_ms = Math.min(limits.relinkMost_ms, limits.relinkLeast_ms * 2 ** failures);
    failures += 1;
    timer = seams.after(most_ms / 2 + seams.randomInt(Math.ceil(most_ms / 2)), () => void attempt().catch(wait));
  }

  try {
    await attempt();
  } catch (thrown) {
    const reason = asError(thrown);
    if (!(await options.mayBeginWithout?.(reason))) throw reason;
    options.onLost(reason);
    wait();
  }
  return {
    current: () => current,
    async close() {
      closed = true;
      timer?.cancel();
      const link = current;
      current = undefined;
      if (link) await within(seams, limits.busClose_ms, link.close()).catch(() => {});
    },
  };
}

/** As the promise, but rejects where that takes longer. */
export function within<T>(seams: Seams, most_ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = seams.after(most_ms, () => reject(new Error(`there was no answer within ${most_ms / 1_000} s`)));
    promise.finally(timer.cancel).then(resolve, (thrown: unknown) => reject(asError(thrown)));
  });
}
