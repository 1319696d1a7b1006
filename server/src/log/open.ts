/** The log of one process: lanes to append through, a hub that follows it, and its newest part in memory. */
import { type Database, sqlState } from "../db/database.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics.ts";
import type { Seams } from "../seams.ts";
import { limits } from "../limits.ts";
import { appendSurely } from "./append-surely.ts";
import { type Epochs, openEpochs } from "./epochs.ts";
import type { Appended, LogEntry, Submission } from "./entry.ts";
import { type Following, type Follows, openFollowing, openTail } from "./following.ts";
import { type Hub, openHub } from "./hub.ts";
import { openLanes } from "./lanes.ts";
import { refuseUnstorable } from "./storable.ts";
import { readHead } from "./queries.ts";
import type { Tail } from "./tail.ts";

export interface Log {
  /** The history epoch, for tokens that are given out. It grows with a fail-over of the database. */
  readonly epoch: number;
  /** Whether a client's token stands in this history; if not the client must start over. Of an epoch that this process does
   *  not know yet it does. */
  holds: Epochs["holds"];
  /** The same for who goes on from the token with what this process has in memory. */
  holdsNow: Epochs["holdsNow"];
  /** What up to there was read at this point of the log is in this history still, and what is above is not. */
  sharedUpTo: Epochs["sharedUpTo"];
  /** The same for who goes on from there. */
  sharedNow: Epochs["sharedNow"];
  hub: Hub;
  tail: Tail;
  /** Resolves when the entries are committed and everybody in this process who listens has them. Throws M_BAD_JSON for
   *  names that the database can not hold. */
  append(submission: Submission): Promise<Appended>;
  /** As `append`, but resolves with the commit: those who listen here may have the entries a moment later. */
  commit(submission: Submission): Promise<Appended>;
  followAll: Following["followAll"];
  /** Resolves once everything up to `position` is here: after a domain's own function appended an entry. */
  reached(position: number): Promise<void>;
  /** Finishes what is in flight and stops. */
  close(): Promise<void>;
}

/** Who follows what becomes of a request. */
export interface LogTracing {
  /** Runs one step of what is being followed. */
  step<T>(name: string, run: () => Promise<T>): Promise<T>;
  /** The append of this submission belongs to what runs now. */
  submitted(submission: Submission): void;
  /** What became of submissions, before anybody hears of their entries. */
  placed(submissions: readonly Submission[], outcomes: readonly Appended[]): void;
}

export interface LogOptions {
  db: Database;
  seams: Seams;
  logger: Logger;
  metrics: Metrics;
  tracing?: LogTracing | undefined;
  /** What of the log this process needs: everything, where nothing is said. See following.ts. */
  follows?: Follows;
  /** Tells the other processes that the log has grown up to `position`, by these entries if they are known. */
  announce(position: number, entries?: readonly LogEntry[]): void;
  /** Entries that this process has handed out were lost with a failed database: the process must end. See epochs.ts. */
  onForked?(): void;
}

/** Opens the log at its head. The tail fills from here on, and with what was written last before. */
export async function openLog(options: LogOptions): Promise<Log> {
  const { db, seams, metrics, tracing, follows = "everything", announce } = options;
  const { position, epoch } = await readHead(db.log);
  // Starting a little behind the head lets clients that reconnect after a restart go on from memory.
  const start = Math.max(0, position - limits.tailFetch_entries);
  const tail = openTail(follows, start, () => hub.head());
  const following = openFollowing(db.log, follows);
  const { hub, epochs } = await openFollower(options, { epoch, start, following });
  const { current, enter, ...tokens } = epochs;
  hub.listen((entries) => tail.push(entries));
  const lanes = openLanes({
    lanes: limits.lanes,
    async append(submissions) {
      const begun_ms = seams.monotonic_ms();
      const batch = await appendSurely(db.log, submissions);
      tracing?.placed(submissions, batch.outcomes);
      await enter(batch.epoch);
      metrics.append_s.observe((seams.monotonic_ms() - begun_ms) / 1_000);
      metrics.appendEntries.observe(batch.entries.length);
      return batch;
    },
    // Class 22 is data that can not be, 23 a rule of the tables: the transaction is undone.
    isRefusal: (thrown) => /^2[23]/.test(sqlState(thrown) ?? ""),
    onAppended({ entries, outcomes, epoch: of }) {
      for (const { outcome } of outcomes) if (outcome === "stale") metrics.staleSubmissions.inc();
      // What was committed in an epoch that is over comes by way of the log, if it is there.
      if (of !== current()) return;
      hub.offer(entries);
      const last = entries.at(-1);
      if (last) announce(last.position, entries);
    },
  });
  await hub.reached(position);
  /** One step of a trace: the wait in the lane, the append and its commit. */
  const traced = (within: LogTracing, submission: Submission) =>
    within.step("append", () => {
      within.submitted(submission);
      return lanes.submit(submission);
    });
  const commit = async (submission: Submission) => {
    refuseUnstorable(submission);
    return tracing ? traced(tracing, submission) : lanes.submit(submission);
  };
  return {
    get epoch() {
      return current();
    },
    ...tokens,
    hub,
    tail,
    commit,
    followAll: following.followAll,
    append: async (submission) => {
      const appended = await commit(submission);
      // Mostly it is here already; another lane's entries before it may still be on their way.
      const last = appended.outcome === "appended" ? appended.entries.at(-1) : undefined;
      if (last && last.position > hub.head()) await hub.reached(last.position);
      return appended;
    },
    reached: (to) => {
      announce(to);
      return hub.reached(to);
    },
    async close() {
      await lanes.drained();
      hub.close();
    },
  };
}

/** What follows the log from `start` on, in the epoch in which it is. */
async function openFollower(
  options: LogOptions,
  { epoch, start, following }: { epoch: number; start: number; following: Following },
) {
  const { db, seams, logger, metrics, onForked } = options;
  const epochs = await openEpochs({
    db: db.log,
    epoch,
    head: () => hub.head(),
    onForked() {
      logger.error("the database that took over does not have all that this process has told: it must start again");
      onForked?.();
    },
  });
  const hub: Hub = openHub({
    seams,
    logger,
    head: start,
    async fetch(after, limit) {
      const fetched = await following.fetch(after, limit);
      await epochs.enter(fetched.epoch);
      return fetched;
    },
    isCurrent: (fetched) => fetched.epoch === epochs.current(),
    onFetch: () => metrics.tailFetches.inc(),
  });
  return { hub, epochs };
}
