/**
 * One append: a batch of submissions becomes one call of log.append(), which is one transaction and one round trip.
 */
import type { Db } from "../db/database.ts";
import { type Appended, type LogEntry, type NewEntry, placed, type Submission } from "./entry.ts";

interface AppendResult {
  epoch: number;
  head: number;
  count: number;
  refused: [number, "repeated" | "stale", string | null][] | null;
}

export interface Batch {
  epoch: number;
  /** One for each submission, in their order. */
  outcomes: Appended[];
  /** All that was appended, in the order of positions. */
  entries: LogEntry[];
}

/** The first append after a fail-over begins an epoch, which its own answer does not have yet. */
const APPEND = "select log.append($1, $2, $3, $4) as result, log.epoch() as epoch";

const EFFECT = { state: 1, receipts: 2, accountData: 4, redactions: 8 };

function effectsOf(entry: NewEntry): number {
  if (entry.kind === "receipt") return EFFECT.receipts;
  if (entry.kind === "account_data") return EFFECT.accountData;
  if (entry.kind !== "event") return 0;
  return (
    (entry.state_key === undefined ? 0 : EFFECT.state) | (entry.redacted_body === undefined ? 0 : EFFECT.redactions)
  );
}

/** Appends the batch. When it resolves, everything that it reports as appended is on disk. */
export async function appendBatch(db: Db, submissions: readonly Submission[]): Promise<Batch> {
  const result = await callAppend(db, submissions);
  const refused = new Map(result.refused?.map(([i, why, answer]) => [i, { why, answer }]));
  const batch: Batch = { epoch: result.epoch, outcomes: [], entries: [] };
  for (const [i, submission] of submissions.entries()) {
    const refusal = refused.get(i);
    if (refusal) {
      batch.outcomes.push(
        refusal.why === "stale" ? { outcome: "stale" } : { outcome: "repeated", answer: refusal.answer ?? "" },
      );
      continue;
    }
    const entries = submission.entries.map((entry, n) => placed(entry, result.head + batch.entries.length + n + 1));
    batch.entries.push(...entries);
    batch.outcomes.push({ outcome: "appended", answer: submission.transaction?.answer ?? "", entries });
  }
  return batch;
}

async function callAppend(db: Db, submissions: readonly Submission[]): Promise<AppendResult> {
  let effects = 0;
  const entries: object[] = [];
  const members: object[] = [];
  const heads = submissions.map(({ room, transaction, ...submission }, i) => {
    for (const member of submission.members ?? []) members.push({ i, ...member });
    for (const [n, entry] of submission.entries.entries()) {
      effects |= effectsOf(entry);
      entries.push({ i, n, ...entry });
    }
    return {
      i,
      room: room?.id,
      version: room?.version,
      session: transaction?.session,
      txn: transaction?.key,
      answer: transaction?.answer,
    };
  });
  const row = await db.one<{ result: AppendResult; epoch: number }>(APPEND, [
    JSON.stringify(heads),
    members.length > 0 ? JSON.stringify(members) : null,
    JSON.stringify(entries),
    effects,
  ]);
  if (!row) throw new Error("log.append gave no row");
  return { ...row.result, epoch: row.epoch };
}
