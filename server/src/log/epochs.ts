/**
 * Which history this process is in, and whether a position of an earlier one still means the same.
 *
 * An epoch ends in two ways. After a restore from a backup no position of before counts. After a fail-over of the database the
 * history goes on from what the new primary had (`log.forks`): positions up to there are as good as ever. Behind them may have
 * stood commits that the standby never got. Their senders were not told that they succeeded, but somebody may have read them: a
 * backend that is ended while its commit waits for the standby shows it. Such a reader starts over; a process that handed such
 * entries out ends, and whoever runs it starts it again with an empty memory.
 */
import { matrixError } from "../errors.ts";
import type { Reader } from "../db/database.ts";
import { readForks, readHead } from "./queries.ts";
import type { Point } from "./token.ts";

export interface Epochs {
  current(): number;
  /** The database has told of this epoch: takes part in it from now on. Throws where this process can not. */
  enter(epoch: number): Promise<void>;
  /** Whether the position is one of this history. One of an epoch to come counts as such. */
  holds(point: Point): boolean;
  /** The same, after having a look which epoch the database is in, where the point is of a later one or ahead of this process. */
  holdsNow(point: Point): Promise<boolean>;
  /** Up to which position this history and the one that had come to the point are the same; -1 where they have nothing in common. Of
   *  an epoch to come it is all of it. */
  sharedUpTo(point: Point): number;
  /** The same, after having a look as `holdsNow` does. An epoch that is not there then is of a restore that was replaced by another. */
  sharedNow(point: Point): Promise<number>;
}

export interface EpochsOptions {
  db: Reader;
  /** The epoch at the start. */
  epoch: number;
  /** Up to where this process has handed out entries. */
  head(): number;
  /** Some of these entries are not in the log any more. Called once. */
  onForked(): void;
}

/** Opens them at the epoch in which the process starts. */
export async function openEpochs(options: EpochsOptions): Promise<Epochs> {
  const { db } = options;
  let current = options.epoch;
  let forks = await readForks(db);
  let isForked = false;

  /** How far what had come to the point is in the history of epoch `upTo`, each of which goes on from the one before at some position. */
  const shared = ({ epoch, position }: Point, upTo: number) => {
    let to = position;
    for (let each = epoch + 1; each <= upTo; each++) to = Math.min(to, forks.get(each) ?? -1);
    return to;
  };
  const sharedUpTo = (point: Point) => shared(point, current);

  async function enter(epoch: number): Promise<void> {
    if (epoch > current) forks = await readForks(db);
    // From this look to the change of the epoch nothing is handed out: both are in one turn.
    const handedOut = { epoch: current, position: options.head() };
    if (!isForked && epoch > current && shared(handedOut, epoch) === handedOut.position) current = epoch;
    if (epoch <= current && !isForked) return;
    if (!isForked) options.onForked();
    isForked = true;
    throw matrixError("IO_PARLEY_UNAVAILABLE", "The server starts again. Try again in a few seconds.", {
      retryAfter_ms: 2_000,
    });
  }

  async function sharedNow(point: Point): Promise<number> {
    if (point.epoch > current || point.position > options.head()) await enter((await readHead(db)).epoch);
    return point.epoch > current ? -1 : sharedUpTo(point);
  }

  const holds = (point: Point) => sharedUpTo(point) === point.position;

  return {
    current: () => current,
    enter,
    holds,
    sharedUpTo,
    sharedNow,
    holdsNow: async (point) => (await sharedNow(point)) === point.position,
  };
}
