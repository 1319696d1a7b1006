/**
 * An append whose outcome is always told: when the connection breaks while a batch is on its way, nobody knows whether it was
 * committed, so it is looked for in the log, and tried again where it is not there. A fail-over of the database then costs
 * its writers time and nothing else.
 *
 * Trying again is safe because the database refuses a second copy of whatever it knows by a unique name: the session and the
 * transaction id, or an event id. It does so even when the first attempt is not over yet. A batch in which nothing has such a
 * name (receipts, account data) is not tried again: their senders are told, and may repeat them, for that changes nothing.
 */
import { type Db, sqlState, UNIQUE_VIOLATION } from "../db/database.ts";
import { mayHaveRun } from "../db/outage.ts";
import { limits } from "../limits.ts";
import { appendBatch, type Batch } from "./append.ts";
import { type Appended, ENTRY_COLUMNS, type LogEntry, type Submission } from "./entry.ts";
import { readHead, SURELY } from "./queries.ts";

/** As `appendBatch`. Throws IO_PARLEY_UNAVAILABLE where the database stays away, or where nothing has a name to look for. */
export async function appendSurely(db: Db, submissions: readonly Submission[]): Promise<Batch> {
  for (let attempt = 1; ; attempt++) {
    try {
      const earlier = attempt === 1 ? undefined : await findBatch(db, submissions);
      return earlier ?? (await appendBatch(db, submissions));
    } catch (thrown) {
      const isTwice = attempt > 1 && sqlState(thrown) === UNIQUE_VIOLATION;
      if (!isTwice && !mayHaveRun(thrown)) throw thrown;
      if (attempt === limits.appendUnknown_attempts || !submissions.some(hasName)) throw thrown;
    }
  }
}

function hasName({ transaction, entries }: Submission): boolean {
  return transaction !== undefined || entries.some((entry) => entry.event_id !== undefined);
}

/**
 * What became of the batch, which stands or falls as a whole; undefined where nothing of it is in the log. A submission with
 * a name that is not there was refused as stale when the rest went in.
 */
async function findBatch(db: Db, submissions: readonly Submission[]): Promise<Batch | undefined> {
  const { epoch } = await readHead(db);
  const answers = await readAnswers(db, submissions);
  const events = await readEvents(db, submissions);
  const outcomes = submissions.map((submission): Appended | undefined => {
    const { transaction, entries } = submission;
    if (transaction) {
      const answer = answers.get(`${transaction.session} ${transaction.key}`);
      return answer === undefined ? undefined : { outcome: "repeated", answer };
    }
    const found = entries.flatMap((entry) => events.get(entry.event_id ?? "") ?? []);
    return found.length > 0 ? { outcome: "appended", answer: "", entries: found } : undefined;
  });
  if (!outcomes.some((outcome) => outcome !== undefined)) return undefined;
  return {
    epoch,
    outcomes: outcomes.map((outcome, i) => outcome ?? withoutTrace(submissions[i] as Submission)),
    // They reach the listeners by way of the log, like those of another process.
    entries: [],
  };
}

/** Nothing without a name is ever refused, so it went in with the rest. */
function withoutTrace(submission: Submission): Appended {
  return hasName(submission) ? { outcome: "stale" } : { outcome: "appended", answer: "", entries: [] };
}

async function readAnswers(db: Db, submissions: readonly Submission[]): Promise<Map<string, string>> {
  const asked = submissions.flatMap(({ transaction }) => transaction ?? []);
  const rows = await db.query<{ session: number; key: string; answer: string }>(
    `select t.session_id as session, t.txn_key as key, t.answer, ${SURELY}
     from unnest($1::bigint[], $2::text[]) as asked(session, key)
     join log.transactions t on t.session_id = asked.session and t.txn_key = asked.key`,
    [asked.map(({ session }) => session), asked.map(({ key }) => key)],
  );
  return new Map(rows.map(({ session, key, answer }) => [`${session} ${key}`, answer]));
}

async function readEvents(db: Db, submissions: readonly Submission[]): Promise<Map<string, LogEntry>> {
  const ids = submissions.flatMap(({ entries }) => entries.flatMap((entry) => entry.event_id ?? []));
  const rows = await db.query<LogEntry & { surely: string }>(
    `select ${ENTRY_COLUMNS}, ${SURELY} as surely from log.entries e where e.event_id = any($1)`,
    [ids],
  );
  return new Map(rows.map(({ surely: _surely, ...row }) => [row.eventId as string, row]));
}
