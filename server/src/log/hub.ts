/**
 * The hub follows the log: it hands every entry, once and in the order of positions, to those who listen in this process.
 *
 * Entries come from two sides. What this process appended itself is *offered* right after its commit. What others appended is
 * *fetched*, when a hint or the regular look at the head says that there is more. An offer that does not follow the last entry
 * waits for the gap before it to fill: mostly another lane of this process fills it within a moment; if not, it is fetched.
 * Hints may be lost, doubled or reordered: they cost time only.
 */
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Logger } from "../logger.ts";
import type { Seams, Timer } from "../seams.ts";
import type { LogEntry } from "./entry.ts";

export interface Hub {
  /** The position up to which listeners have seen everything. */
  head(): number;
  /** Entries that this process appended, in the order of positions. */
  offer(entries: readonly LogEntry[]): void;
  /** The log may have grown up to `position`: fetch what is missing. */
  hint(position: number): void;
  /** Resolves when everything up to `position` has been handed out here. */
  reached(position: number): Promise<void>;
  /** Called with each run of new entries, in order, before anyone who waits for them. It must not throw. */
  listen(listener: (entries: readonly LogEntry[]) => void): void;
  close(): void;
}

export interface HubOptions {
  seams: Seams;
  logger: Logger;
  /** Where the log stands at start. */
  head: number;
  /** Entries above `after`, in the order of positions, at most `limit`. */
  fetch(after: number, limit: number): Promise<LogEntry[]>;
  readHead(): Promise<number>;
  onFetch(): void;
}

/** Opens the hub at the given head. */
export function openHub(options: HubOptions): Hub {
  const { seams } = options;
  const listeners: ((entries: readonly LogEntry[]) => void)[] = [];
  /** Offers that are ahead of the head, by the position of their first entry. */
  const ahead = new Map<number, readonly LogEntry[]>();
  const waiting: { position: number; resolve(): void }[] = [];
  let head = options.head;
  let wanted = options.head;
  let fetching = false;
  let closed = false;
  let gapTimer: Timer | undefined;

  function deliver(entries: readonly LogEntry[]): void {
    if (entries.length === 0) return;
    head = (entries.at(-1) as LogEntry).position;
    for (const listener of listeners) listener(entries);
  }

  /** Hands out whatever now follows the head without a gap, then wakes those who waited for it. */
  function advance(): void {
    for (let next = ahead.get(head + 1); next; next = ahead.get(head + 1)) {
      ahead.delete(head + 1);
      deliver(next);
    }
    for (const [first, entries] of ahead) {
      if (first > head) continue;
      ahead.delete(first);
      deliver(entries.filter((entry) => entry.position > head));
    }
    for (let i = waiting.length - 1; i >= 0; i--) {
      const each = waiting[i] as (typeof waiting)[number];
      if (each.position > head) continue;
      waiting.splice(i, 1);
      each.resolve();
    }
  }

  async function fetchMissing(): Promise<void> {
    if (fetching || closed) return;
    fetching = true;
    try {
      let committed = 0;
      while (wanted > head && !closed) {
        options.onFetch();
        const entries = await options.fetch(head, limits.tailFetch_entries);
        deliver(entries.filter((entry) => entry.position > head));
        // Messages that were acknowledged are deleted, maybe the newest ones: nothing comes at their positions any more.
        if (entries.length < limits.tailFetch_entries) head = Math.max(head, committed);
        advance();
        if (head >= wanted) break;
        // What is wanted may also be a client's word, so only the log itself says how far there is anything.
        committed = await options.readHead();
        if (committed <= head) break;
      }
    } catch (thrown) {
      options.logger.warn(
        { err: asError(thrown) },
        "the tail of the log could not be read; the next look at the head tries again",
      );
    } finally {
      fetching = false;
    }
  }

  function want(position: number): void {
    if (position > wanted) wanted = position;
    if (wanted > head) void fetchMissing();
  }

  const poll = seams.every(limits.headPoll_ms, () => {
    options
      .readHead()
      .then(want, (thrown: unknown) =>
        options.logger.warn({ err: asError(thrown) }, "the head of the log could not be read"),
      );
  });

  return {
    head: () => head,
    offer(entries) {
      const first = entries[0];
      if (!first) return;
      ahead.set(first.position, entries);
      advance();
      const last = (entries.at(-1) as LogEntry).position;
      if (head >= last || gapTimer) return;
      gapTimer = seams.after(limits.tailGap_ms, () => {
        gapTimer = undefined;
        want(Math.max(...ahead.keys(), 0));
      });
    },
    hint: want,
    reached: (position) =>
      new Promise((resolve) => {
        if (position <= head) return resolve();
        waiting.push({ position, resolve });
        want(position);
      }),
    listen: (listener) => void listeners.push(listener),
    close() {
      closed = true;
      poll.cancel();
      gapTimer?.cancel();
    },
  };
}
