/**
 * The stream behind the SDK's /sync requests: which of them it answers, and when it tries again.
 *
 *   idle       no line; the next request opens one
 *   open       requests that stand where the line does are answered from it; any other opens a new one
 *   away       the server sent the client away for a time of its choosing; a request waits for that
 *   resting    lines failed: for a while, longer each time, requests are answered by /sync
 *   off        the server said stop, or has no stream: /sync for as long as the page lives
 */
import type { Socket } from "./connection.ts";
import { type Line, openLine } from "./line.ts";
import { CLOSE, type Ending, type SignIn, type SyncAnswer } from "./protocol.ts";

/** Where a /sync request stands, and what it wants. */
export type Place = Omit<SignIn, "ticket">;

export interface FeedOptions {
  openSocket(): Socket;
  /** A ticket for one sign-in; undefined where the server has no stream. Rejects where it can not be had at the moment. */
  ticket(): Promise<string | undefined>;
  /** The first pause after a failure; it doubles with each. Smaller in tests. */
  firstPause_ms?: number;
}

export interface Waiting {
  timeout_ms: number;
  signal?: AbortSignal | undefined;
}

export interface Feed {
  /** The answer of a /sync request; undefined where /sync itself must give it. Rejects when the signal aborts. */
  answer(place: Place, waiting: Waiting): Promise<SyncAnswer | undefined>;
  /** Ends the line; the next request opens another. */
  close(): void;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** A line that lived for so long was none of a series of failures. */
const STEADY_MS = 30_000;

export function createFeed(options: FeedOptions): Feed {
  const rest = createRest(options.firstPause_ms ?? FIRST_PAUSE_MS);
  let open: { line: Line; wants: string; presence: string | undefined } | undefined;

  async function openAt(place: Place): Promise<Line | undefined> {
    open?.line.close();
    open = undefined;
    try {
      const ticket = await options.ticket();
      if (ticket === undefined) return rest.turnOff();
      const begun_ms = Date.now();
      const line = openLine(options.openSocket(), { ...place, ticket }, (ending) => {
        if (open?.line === line) open = undefined;
        if (!isClosing) rest.note(ending, Date.now() - begun_ms);
      });
      open = { line, wants: wantsOf(place), presence: place.set_presence };
      return (await line.ready) ? line : undefined;
    } catch {
      rest.note({ code: 0, reconnectIn_ms: undefined }, 0);
      return undefined;
    }
  }

  /** The line that answers for the place, an open one or a new one. */
  async function lineFor(place: Place, signal: AbortSignal | undefined): Promise<Line | undefined> {
    if (open && open.wants === wantsOf(place) && open.line.continues(place.since)) return open.line;
    await rest.away(signal);
    return rest.isResting() ? undefined : openAt(place);
  }

  let isClosing = false;
  function close(): void {
    isClosing = true;
    open?.line.close();
    open = undefined;
    isClosing = false;
  }

  return {
    async answer(place, { timeout_ms, signal }) {
      signal?.addEventListener("abort", close, { once: true });
      try {
        for (;;) {
          const line = await lineFor(place, signal);
          if (!line) return undefined;
          if (place.set_presence !== undefined && open && place.set_presence !== open.presence) {
            open.presence = place.set_presence;
            line.setPresence(place.set_presence);
          }
          line.acknowledge(place.since);
          const answer = await line.next({ timeout_ms, signal });
          if (answer || !rest.isAway()) return answer;
        }
      } finally {
        signal?.removeEventListener("abort", close);
      }
    },
    close,
  };
}

/** What another line must be opened for. */
function wantsOf({ filter, use_state_after, "org.matrix.msc4222.use_state_after": unstable }: Place): string {
  return JSON.stringify([filter, use_state_after, unstable]);
}

/** When the next line may be opened. */
function createRest(first_ms: number) {
  let failures = 0;
  let restUntil_ms = 0;
  let awayUntil_ms = 0;
  let isOff = false;

  return {
    turnOff(): undefined {
      isOff = true;
    },
    note({ code, reconnectIn_ms }: Ending, lived_ms: number): void {
      if (code === CLOSE.stop) isOff = true;
      const now_ms = Date.now();
      failures = lived_ms >= STEADY_MS ? 0 : failures + 1;
      if (reconnectIn_ms !== undefined) awayUntil_ms = now_ms + reconnectIn_ms;
      // What the server chose is waited for; a series of ends is a failure, whoever ended them.
      if (reconnectIn_ms !== undefined && failures < 3) return;
      const pause_ms = Math.min(LONGEST_PAUSE_MS, first_ms * 2 ** Math.min(failures, 16));
      restUntil_ms = now_ms + pause_ms * (0.5 + Math.random() / 2);
    },
    isResting: () => isOff || Date.now() < restUntil_ms,
    isAway: () => Date.now() < awayUntil_ms,
    /** Waits as long as the server wants. */
    async away(signal: AbortSignal | undefined): Promise<void> {
      const wait_ms = awayUntil_ms - Date.now();
      if (wait_ms <= 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, wait_ms);
        signal?.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
      });
      signal?.throwIfAborted();
    },
  };
}
