/**
 * One tab owns the session.
 *
 * The crypto store must have exactly one writer, so the tab that runs the client holds a Web Lock for as long as it
 * does. Other tabs wait in line and take over when it closes; a person who clicks "Use here" sends `release`, on which
 * the owner stops its client and lets go. An owner that does not answer within `PATIENCE_MS` (a frozen tab) loses the
 * lock by `steal`.
 */

const LOCK = "parley.session";
const CHANNEL = "parley.session";

/** How long an owner has to stop its client before the lock is taken from it. */
const PATIENCE_MS = 4_000;

interface ReleaseMessage {
  type: "release";
  /** The tab that wants to be next; the others that wait in line step back for it. */
  next: string;
}

export interface Leadership {
  /** Asks the owner to let go, and takes the session. */
  takeOver(): void;
  /** Lets go of the lock, or of the place in the line, for good: there is no session any more. */
  leave(): void;
}

export interface LeaderOptions {
  /** The lock is ours: start. */
  onLead(): void;
  /** Another tab has the lock; we wait in line. */
  onWait(): void;
  /** The lock is wanted elsewhere: stop everything, then resolve. */
  onRelease(): Promise<void>;
}

/** Joins the line of tabs. Exactly one of the tabs is between its `onLead` and the end of its `onRelease`. */
export function joinTabs(options: LeaderOptions): Leadership {
  const id = crypto.randomUUID();
  const channel = new BroadcastChannel(CHANNEL);
  let waiting: AbortController | null = null;
  let letGo: (() => void) | null = null;
  let left = false;

  /** Runs while the lock is ours; the lock lasts until the promise resolves. */
  const hold = async (lock: Lock | null): Promise<void> => {
    if (left) return;
    if (!lock) return waitInLine();
    waiting = null;
    await new Promise<void>((resolve) => {
      letGo = resolve;
      options.onLead();
    });
  };
  const ask = (how: LockOptions) => {
    navigator.locks.request(LOCK, how, hold).catch(() => {
      // A rejection is our own abort while waiting, or, while holding, another tab that stole the lock.
      if (letGo) void stepDown();
    });
  };
  const waitInLine = () => {
    options.onWait();
    waiting = new AbortController();
    ask({ signal: waiting.signal });
  };
  const stepDown = async () => {
    await options.onRelease();
    letGo?.();
    letGo = null;
    waitInLine();
  };

  channel.addEventListener("message", ({ data }: MessageEvent<ReleaseMessage>) => {
    if (data.next === id) return;
    if (letGo) return void stepDown();
    waiting?.abort();
    waitInLine();
  });
  ask({ ifAvailable: true });

  return {
    takeOver: () => {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a BroadcastChannel has one origin only.
      channel.postMessage({ type: "release", next: id } satisfies ReleaseMessage);
      setTimeout(() => {
        if (letGo || left) return;
        waiting?.abort();
        ask({ steal: true });
      }, PATIENCE_MS);
    },
    leave: () => {
      left = true;
      channel.close();
      waiting?.abort();
      letGo?.();
      letGo = null;
    },
  };
}
