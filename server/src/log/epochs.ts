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
import type { Token } from "./token.ts";

export interface Epochs {
  current(): number;
  /** The database has told of this epoch: takes part in it from now on. Throws where this process can not. */
  enter(epoch: number): Promise<void>;
  /** Whether the position is one of this history. One of an epoch to come counts as such. */
  holds(token: Pick<Token, "epoch" | "position">): boolean;
  /** The same, after having a look which epoch the database is in, where the token is of a later one or ahead of this process. */
  holdsNow(token: Pick<Token, "epoch" | "position">): Promise<boolean>;
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

  /** Whether each epoch behind `epoch` goes on from the history before it at this position, or later. */
  const goesOn = (epoch: number, position: number, upTo: number) => {
    for (let each = epoch + 1; each <= upTo; each++) if ((forks.get(each) ?? -1) < position) return false;
    return true;
  };

  async function enter(epoch: number): Promise<void> {
    if (epoch > current) forks = await readForks(db);
    // From this look to the change of the epoch nothing is handed out: both are in one turn.
    if (!isForked && epoch > current && goesOn(current, options.head(), epoch)) current = epoch;
    if (epoch <= current && !isForked) return;
    if (!isForked) options.onForked();
    isForked = true;
    throw matrixError("IO_PARLEY_UNAVAILABLE", "The server starts again. Try again in a few seconds.", {
      retryAfter_ms: 2_000,
    });
  }

  const holds = ({ epoch, position }: Pick<Token, "epoch" | "position">) =>
    epoch >= current || goesOn(epoch, position, current);

  return {
    current: () => current,
    enter,
    holds,
    async holdsNow(token) {
      if (token.epoch > current || token.position > options.head()) await enter((await readHead(db)).epoch);
      return token.epoch <= current && holds(token);
    },
  };
}
