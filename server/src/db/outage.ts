/**
 * Trouble with the database that passes: which errors mean it, whether the statement may have run all the same, and how long a
 * caller waits for the database to come back (a restart, a fail-over to the standby).
 *
 * What has never run, and what only reads, is tried again, for as long as the database has not been away for longer than
 * `limits.databasePatience_ms`; after that each caller is told at once. What may have changed something is told at once too: only
 * whoever can recognise it in the database may repeat it, as the log's append does.
 */
import pg from "pg";
import { limits } from "../limits.ts";
import { type MatrixError, matrixError } from "../errors.ts";
import { pause, type Seams } from "../seams.ts";

/**
 * SQL states of a database that can not serve now: no connection, no resources (a full disk), shutting down, read-only, and a
 * password that is not let in, or not any more: another one may be on its way (cli/rotate-database.ts).
 */
const AWAY = /^(08|53|57P|25006|28P01)/;
/** Of these: what a server says before it has begun with the statement, or about one that it has undone for this reason. */
const NEVER_RAN = /^(25006|57P03|53300)/;
const AWAY_SOCKET = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOTFOUND",
  "ENOENT",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EAI_AGAIN",
]);
/** What the driver says without a code: no connection of the pool became free, one was cut, or the answer did not come. */
const AWAY_TEXT =
  /^(timeout exceeded when trying to connect|timeout expired|Connection terminated|Client has encountered a connection error)/;

/** The database did not answer in time. The statement may run on. */
export class NoAnswer extends Error {
  constructor() {
    super("the database did not answer in time");
  }
}

/** Throws NoAnswer where the answer does not come in time: a server that hangs, or a way to it that swallows everything. */
export async function within<T>(seams: Seams, patience_ms: number, answer: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = seams.after(patience_ms, () => reject(new NoAnswer()));
  try {
    return await Promise.race([answer, late]);
  } finally {
    timer.cancel();
  }
}

/** A server that does not take changes, met while connecting to one that must. */
export class ReadOnlyServer extends Error {
  constructor() {
    super("the database server only reads");
  }
}

/** Whether the error means that the database, or this way to it, can not serve now. */
export function isAway(thrown: unknown): boolean {
  if (thrown instanceof NoAnswer || thrown instanceof ReadOnlyServer) return true;
  const { code = "", message = "" } = thrown as { code?: string; message?: string };
  return AWAY.test(code) || AWAY_SOCKET.has(code) || AWAY_TEXT.test(message);
}

/** Whether the statement that failed so has certainly changed nothing, and may succeed elsewhere. */
export function neverRan(thrown: unknown): boolean {
  return thrown instanceof pg.DatabaseError && NEVER_RAN.test(thrown.code ?? "");
}

/** Whether the database has ended the statement because it ran for too long. It is there, and nothing was changed. */
export function isTooLong(thrown: unknown): boolean {
  return thrown instanceof pg.DatabaseError && thrown.code === "57014";
}

const withUnknownOutcome = new WeakSet<object>();

/** G15: trouble with the database as the client is told of it, with a time to come back. */
export function unavailable(cause: unknown, { mayHaveRun }: { mayHaveRun: boolean }): MatrixError {
  const error = matrixError("IO_PARLEY_UNAVAILABLE", "The database can not do this now. Try again in a few seconds.", {
    retryAfter_ms: 2_000,
    cause,
  });
  if (mayHaveRun) withUnknownOutcome.add(error);
  return error;
}

/** Whether what failed with this error may be in the database all the same. */
export function mayHaveRun(thrown: unknown): boolean {
  return typeof thrown === "object" && thrown !== null && withUnknownOutcome.has(thrown);
}

/** How long the database has been away, as all the callers of one process see it. */
export interface Outage {
  /**
   * Runs `attempt` until it succeeds, fails with an error that is no outage, may have run, or the outage has lasted too long.
   * `attempt` says of its errors, by `mayHaveRun`, which may be tried again.
   */
  patiently<T>(attempt: () => Promise<T>): Promise<T>;
}

/** Between two attempts: first there is another server to try at once, then a restart to wait for. */
const PAUSES_MS = [0, 20, 50, 100, 200];

/** A database that has refused no change for so long is no longer known as one that only reads. */
const READ_ONLY_KNOWN_MS = 2_000;

export function openOutage(seams: Seams, patience_ms: number = limits.databasePatience_ms): Outage {
  let since_ms: number | undefined;
  // What is read meanwhile succeeds, and says nothing of changes: they have a clock of their own.
  let readOnly = { since_ms: 0, last_ms: Number.NEGATIVE_INFINITY };

  /** How long it has been away for whoever met this error. */
  function lasted_ms(thrown: unknown): number {
    const now_ms = seams.monotonic_ms();
    if (!isReadOnly(thrown)) return now_ms - (since_ms ??= now_ms);
    const isNew = now_ms - readOnly.last_ms > READ_ONLY_KNOWN_MS;
    readOnly = { since_ms: isNew ? now_ms : readOnly.since_ms, last_ms: now_ms };
    return now_ms - readOnly.since_ms;
  }

  return {
    async patiently(attempt) {
      for (let tries = 0; ; tries++) {
        try {
          const result = await attempt();
          since_ms = undefined;
          return result;
        } catch (thrown) {
          const isAwayNow = isUnavailable(thrown);
          if (!isAwayNow) since_ms = undefined;
          if (!isAwayNow || lasted_ms(thrown) >= patience_ms || mayHaveRun(thrown)) throw thrown;
        }
        const pause_ms = PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)] as number;
        if (pause_ms > 0) await pause(seams, pause_ms);
      }
    },
  };
}

function isReadOnly(thrown: unknown): boolean {
  const { cause } = thrown as { cause?: { code?: string } };
  return cause instanceof ReadOnlyServer || cause?.code === "25006";
}

/** What ran for too long would do so again. */
function isUnavailable(thrown: unknown): boolean {
  const { errcode, cause } = thrown as { errcode?: string; cause?: unknown };
  return errcode === "IO_PARLEY_UNAVAILABLE" && !isTooLong(cause);
}
