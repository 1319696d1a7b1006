/**
 * The hub follows the log: it hands every entry, once and in the order of positions, to those who listen in this process.
 *
 * Entries come from two sides. What this process appended itself is *offered* right after its commit, and small entries
 * of others with their hint (hints.ts). What else others appended is *fetched*, when a hint says that there is more, and by a
 * regular look. An offer that does not follow the last entry
 * waits for the gap before it to fill: mostly another lane of the same process fills it within a moment; if not, it is fetched.
 * Hints may be lost, doubled, reordered or wrong: they cost time only. How far the log goes is read with the entries: positions
 * whose entries were deleted since (to-device messages that arrived) leave gaps that nothing else would tell from news to come.
 */
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Logger } from "../logger.ts";
import type { Seams, Timer } from "../seams.ts";
import type { LogEntry } from "./entry.ts";

export interface Hub {
  /** The position up to which listeners have seen everything. */
  head(): number;
  /** On the monotonic clock: whatever was in the log at this moment, listeners have seen. */
  heard_ms(): number;
  /** Entries that were appended, here or elsewhere, in the order of positions and without a gap. */
  offer(entries: readonly LogEntry[]): void;
  /** The log may have grown up to `position`: fetch what is missing. */
  hint(position: number): void;
  /** Resolves when everything up to `position` has been handed out here; rejects as soon as the signal aborts. */
  reached(position: number, signal?: AbortSignal): Promise<void>;
  /** Called with each run of new entries, in order, before anyone who waits for them. What it throws is logged. */
  listen(listener: Listener): void;
  close(): void;
}

/**
 * How a run of entries came here. Who appended them has *offered* them, after the commit. What was *fetched* may have been shown before
 * its commit was safe, and be lost with a fail-over: whoever wants to rely on it reads it again with SURELY (queries.ts).
 */
export type Came = "offered" | "fetched";

export type Listener = (entries: readonly LogEntry[], came: Came) => void;

/** What one look at the log brings. */
export interface Fetched {
  /** Entries above the position asked for, in the order of positions. */
  entries: LogEntry[];
  /** Everything of the log up to here is among the entries, or is no longer in it. */
  upTo: number;
  /** The history that they are of. */
  epoch?: number;
}

export interface HubOptions {
  seams: Seams;
  logger: Logger;
  /** Where the log stands at start. */
  head: number;
  /** At most `limit` entries above `after`. */
  fetch(after: number, limit: number): Promise<Fetched>;
  /** Whether what was fetched still counts when it is about to be handed out. */
  isCurrent?(fetched: Fetched): boolean;
  /** Called for each fetch that was wanted, or brought something. */
  onFetch(): void;
}

/** Opens the hub at the given head. */
export function openHub(options: HubOptions): Hub {
  const { seams, logger } = options;
  const listeners: Listener[] = [];
  const ahead = createAhead();
  const waiting = createWaiting();
  let head = options.head;
  let closed = false;
  let gapTimer: Timer | undefined;

  /** Hands out the entries, then whatever now follows the head without a gap, and wakes those who waited for it. */
  function deliver(entries: readonly LogEntry[], upTo: number, came: Came): void {
    handOut(
      entries.filter((entry) => entry.position > head),
      upTo,
      came,
    );
    for (let next = ahead.take(head); next; next = ahead.take(head))
      handOut(next, next.at(-1)?.position as number, "offered");
    waiting.wake(head);
  }

  function handOut(entries: readonly LogEntry[], upTo: number, came: Came): void {
    head = Math.max(head, upTo);
    if (entries.length > 0) for (const listener of listeners) tell(logger, () => listener(entries, came));
  }

  const fetcher = createFetcher(options, { head: () => head, isClosed: () => closed, deliver });
  const opened_ms = seams.monotonic_ms();

  const poll = seams.every(limits.headPoll_ms, fetcher.look);

  return {
    head: () => head,
    heard_ms: () => fetcher.heard_ms() ?? opened_ms,
    offer(entries) {
      const [first] = entries;
      const last = entries.at(-1);
      if (!first || !last) return;
      if (first.position <= head + 1) return deliver(entries, last.position, "offered");
      ahead.put(entries);
      gapTimer ??= seams.after(limits.tailGap_ms, () => {
        gapTimer = undefined;
        fetcher.want(ahead.last());
      });
    },
    hint(position) {
      // The gap before an offer has its own timer, which mostly finds it filled.
      if (position > ahead.last()) fetcher.want(position);
    },
    reached(position, signal) {
      if (position <= head) return Promise.resolve();
      fetcher.want(position);
      return waiting.add(position, signal);
    },
    listen: (listener) => void listeners.push(listener),
    close() {
      closed = true;
      poll.cancel();
      gapTimer?.cancel();
    },
  };
}

/** A listener that fails must not keep the others from what they would have seen. */
function tell(logger: Logger, listener: () => void): void {
  try {
    listener();
  } catch (thrown) {
    logger.error({ err: asError(thrown) }, "a listener of the log failed");
  }
}

/**
 * Offers that are ahead of the head, as many as the tail keeps. Where the bus goes on and the database does not answer they would
 * grow with the log; the fetch that fills the gap brings what was left out.
 */
function createAhead() {
  const offers = new Map<number, readonly LogEntry[]>();
  let last = 0;
  let kept = { entries: 0, characters: 0 };
  const count = (entries: readonly LogEntry[], by: 1 | -1) => {
    const characters = entries.reduce((sum, { body }) => sum + body.length, 0);
    kept = { entries: kept.entries + by * entries.length, characters: kept.characters + by * characters };
  };
  return {
    put(entries: readonly LogEntry[]): void {
      const first = entries[0]?.position as number;
      last = Math.max(last, entries.at(-1)?.position as number);
      if (offers.has(first) || kept.entries >= limits.tail_entries || kept.characters >= limits.tail_bytes) return;
      offers.set(first, entries);
      count(entries, 1);
    },
    /** The entries just behind `head`, if some are here; offers that the head has passed are forgotten. */
    take(head: number): readonly LogEntry[] | undefined {
      if (offers.size === 0) return undefined;
      for (const [first, entries] of offers) {
        if (first > head + 1) continue;
        offers.delete(first);
        count(entries, -1);
        const rest = first > head ? entries : entries.filter((entry) => entry.position > head);
        if (rest.length > 0) return rest;
      }
      return undefined;
    },
    /** The newest position that was offered too early: where it is above the head, an offer waits here, or was left out. */
    last: () => last,
  };
}

/** Those who wait for the head to reach a position. */
function createWaiting() {
  const waiting = new Set<{ position: number; resolve(): void }>();
  return {
    add: (position: number, signal?: AbortSignal): Promise<void> =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(asError(signal.reason));
        const onAbort = () => {
          waiting.delete(each);
          reject(asError(signal?.reason));
        };
        const each = {
          position,
          resolve() {
            signal?.removeEventListener("abort", onAbort);
            resolve();
          },
        };
        waiting.add(each);
        signal?.addEventListener("abort", onAbort, { once: true });
      }),
    wake(head: number): void {
      for (const each of waiting) {
        if (each.position > head) continue;
        waiting.delete(each);
        each.resolve();
      }
    },
  };
}

interface Follower {
  head(): number;
  isClosed(): boolean;
  deliver(entries: readonly LogEntry[], upTo: number, came: Came): void;
}

/**
 * Fetches what is missing, one query at a time. What is wanted meanwhile is looked for once more afterwards. A look without a
 * hint is the same query, so that news that nobody told of cost one query too.
 */
function createFetcher(options: HubOptions, follower: Follower) {
  let wanted = 0;
  let fetching = false;
  let heard_ms: number | undefined;

  async function fetchMissing(): Promise<void> {
    fetching = true;
    try {
      do {
        const target = wanted;
        // Who wants a position that the log does not have must not keep this running.
        wanted = 0;
        const before = follower.head();
        const begun_ms = options.seams.monotonic_ms();
        const fetched = await options.fetch(before, limits.tailFetch_entries);
        if (options.isCurrent?.(fetched) === false) return;
        const { entries, upTo } = fetched;
        if (target > before || upTo > before) options.onFetch();
        follower.deliver(entries, upTo, "fetched");
        if (entries.length >= limits.tailFetch_entries) wanted = Math.max(wanted, target, upTo + 1);
        else heard_ms = begun_ms;
      } while (wanted > follower.head() && !follower.isClosed());
    } catch (thrown) {
      options.logger.warn(
        { err: asError(thrown) },
        "the tail of the log could not be read; the next look at the head tries again",
      );
    } finally {
      fetching = false;
    }
  }

  return {
    /** When the last fetch began that reached the end of the log. */
    heard_ms: () => heard_ms,
    want(position: number): void {
      wanted = Math.max(wanted, position);
      if (!fetching && wanted > follower.head() && !follower.isClosed()) void fetchMissing();
    },
    /** Whether there is news. Where a fetch is under way, that tells. */
    look(): void {
      if (!fetching) void fetchMissing();
    },
  };
}
