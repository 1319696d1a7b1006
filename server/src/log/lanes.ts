/**
 * Group commit. Submissions that arrive while the previous append is in flight are appended together, so that the rate is
 * not bound by the time of one commit and nobody ever waits for a timer. A room is always in the same lane: its entries keep
 * the order in which they were submitted.
 *
 * A lane is *idle* (nothing in flight) or *appending* (one batch in flight; what arrives waits). When a batch ends, with success
 * or failure, the lane takes the next batch from what waits, or becomes idle.
 */
import { matrixError, asError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Batch } from "./append.ts";
import type { Appended, Submission } from "./entry.ts";

export interface Lanes {
  /** Resolves after the commit. Rejects when the database failed: then nobody knows whether it was appended, and a retry tells. */
  submit(submission: Submission): Promise<Appended>;
  /** Resolves when nothing waits and nothing is in flight. */
  drained(): Promise<void>;
}

export interface LanesOptions {
  lanes: number;
  append(submissions: readonly Submission[]): Promise<Batch>;
  /** Whether the database refused what it was given, so that nothing of it is in the log. */
  isRefusal(thrown: unknown): boolean;
  /** Called with what a batch appended, after its commit and before its submitters hear of it. */
  onAppended(batch: Batch): void;
}

interface Waiting {
  submission: Submission;
  resolve(appended: Appended): void;
  reject(error: Error): void;
}

interface Lane {
  waiting: Waiting[];
  appending: boolean;
}

/** Opens the lanes. */
export function openLanes(options: LanesOptions): Lanes {
  const lanes: Lane[] = Array.from({ length: options.lanes }, () => ({ waiting: [], appending: false }));
  const onIdle = new Set<() => void>();
  const busy = () => lanes.some((lane) => lane.appending);

  async function run(lane: Lane): Promise<void> {
    lane.appending = true;
    while (lane.waiting.length > 0) await appendNext(lane, options);
    lane.appending = false;
    if (!busy()) for (const resolve of onIdle) resolve();
  }

  return {
    submit: (submission) =>
      new Promise((resolve, reject) => {
        const lane = lanes[laneOf(submission.lane, lanes.length)] as Lane;
        if (lane.waiting.length >= limits.laneQueue_submissions)
          return reject(
            matrixError("IO_PARLEY_UNAVAILABLE", "The server has more to write than it can. Try again in a second.", {
              retryAfter_ms: 1_000,
            }),
          );
        lane.waiting.push({ submission, resolve, reject });
        // The microtask lets all that arrived in this turn of the loop into the first batch.
        if (!lane.appending) {
          lane.appending = true;
          queueMicrotask(() => void run(lane));
        }
      }),
    drained: () =>
      new Promise((resolve) => {
        if (!busy()) return resolve();
        onIdle.add(resolve);
      }),
  };
}

async function appendNext(lane: Lane, options: LanesOptions): Promise<void> {
  await appendTogether(takeBatch(lane), options);
}

/** Appends the batch. What the database refuses for the sake of one submission is appended one by one: the others go in. */
async function appendTogether(batch: readonly Waiting[], options: LanesOptions): Promise<void> {
  try {
    const done = await options.append(batch.map((each) => each.submission));
    options.onAppended(done);
    for (const [i, each] of batch.entries()) each.resolve(done.outcomes[i] as Appended);
  } catch (thrown) {
    if (batch.length > 1 && options.isRefusal(thrown)) for (const each of batch) await appendTogether([each], options);
    else for (const each of batch) each.reject(asError(thrown));
  }
}

/**
 * Takes what may go together. Two submissions of one batch are checked against the same state of the database, so one that
 * rests on what an earlier one of the batch changes must wait for the next.
 */
function takeBatch(lane: Lane): Waiting[] {
  const batch: Waiting[] = [];
  const later: Waiting[] = [];
  const changed = new Set<string>();
  /** What waits keeps its place: nothing with the same key may overtake it. */
  const held = new Set<string>();
  let entries = 0;
  let at = 0;
  for (; at < lane.waiting.length; at++) {
    const each = lane.waiting[at] as Waiting;
    const { submission } = each;
    // What waits behind a full batch is not even looked at: it may be thousands.
    if (batch.length > 0 && entries + submission.entries.length > limits.batch_entries) break;
    if (held.has(submission.lane) || restsOn(submission, changed)) {
      later.push(each);
      held.add(submission.lane);
      if (submission.room) changed.add(submission.room.id);
      if (submission.transaction) changed.add(transactionName(submission.transaction));
      continue;
    }
    batch.push(each);
    entries += submission.entries.length;
    noteChanges(submission, changed);
  }
  lane.waiting = at < lane.waiting.length ? later.concat(lane.waiting.slice(at)) : later;
  return batch;
}

function restsOn({ room, members, transaction }: Submission, changed: ReadonlySet<string>): boolean {
  if (changed.size === 0) return false;
  if (room && changed.has(room.id)) return true;
  if (transaction && changed.has(transactionName(transaction))) return true;
  return members?.some((member) => changed.has(`${member.room} ${member.user}`)) ?? false;
}

function noteChanges({ entries, room, transaction }: Submission, changed: Set<string>): void {
  if (transaction) changed.add(transactionName(transaction));
  if (!room) return;
  for (const { type, state_key } of entries) {
    if (state_key === undefined) continue;
    changed.add(type === "m.room.member" ? `${room.id} ${state_key}` : room.id);
  }
}

function transactionName({ session, key }: { session: number; key: string }): string {
  return `${session} ${key}`;
}

/** FNV-1a: which lane a key belongs to. The same for every replica, though nothing rests on that. */
function laneOf(key: string, lanes: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % lanes;
}
