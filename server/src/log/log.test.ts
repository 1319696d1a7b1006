/** G1 to G4 on a real PostgreSQL, and for each the planted bug that its check must find. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { doubled, lost, reordered, skipped } from "../../../testkit/src/log/check.ts";
import { seeded, seedOfRun } from "../../../testkit/src/log/random.ts";
import { type Recorded, runWorkload, type Workload } from "../../../testkit/src/log/workload.ts";
import { createTestDatabase } from "../../../testkit/src/server.ts";
import { connectOwner } from "../db/database.ts";

const workload: Workload = { writers: 24, messages: 40, hintLoss: 0.5, retries: 0.2, cuts: 0 };

async function run(
  changes: Partial<Workload> = {},
  plant?: [from: string, to: string][],
): Promise<{ seed: number; recorded: Recorded }> {
  const seed = seedOfRun();
  await using database = await createTestDatabase();
  if (plant) await plantInAppend(database.url, plant);
  const recorded = await runWorkload(database.url, seeded(seed), { ...workload, ...changes });
  return { seed, recorded };
}

/** Changes the text of log.append in one database. Each text to replace must be there, or the control would control nothing. */
async function plantInAppend(url: string, changes: readonly [string, string][]): Promise<void> {
  const client = await connectOwner(url);
  const { rows } = await client.query<{ text: string }>("select pg_get_functiondef('log.append'::regproc) as text");
  let text = rows[0]?.text ?? "";
  for (const [from, to] of changes) {
    assert.ok(text.includes(from), `log.append no longer has: ${from}`);
    text = text.replace(from, to);
  }
  await client.query(
    "create sequence log.planted; grant usage on sequence log.planted to parley_log; alter table log.transactions drop constraint transactions_pkey",
  );
  await client.query(text);
  await client.end();
}

const noSequence: [string, string][] = [
  [
    "select position, epoch into v_head, v_epoch from log.head for update;",
    "v_head := nextval('log.planted') * 1000; v_epoch := 1; perform pg_sleep(random() * 0.02);",
  ],
  [
    "update log.head set position = v_head + v_count;",
    "update log.head set position = greatest(position, v_head + v_count);",
  ],
];

test("G1, G2, G3, G4: no message is lost, doubled or reordered, and every reader sees every entry once and in order", async () => {
  const { seed, recorded } = await run();
  const { sent, attempts, clashes, stored, hubs, reader } = recorded;
  assert.equal(stored.length, workload.writers * workload.messages, `seed ${seed}`);
  assert.deepEqual(lost(sent, stored), [], `seed ${seed}`);
  assert.deepEqual(doubled(sent, attempts, stored), [], `seed ${seed}`);
  assert.deepEqual(reordered(sent, stored), [], `seed ${seed}`);
  for (const seen of [...hubs, reader]) assert.deepEqual(skipped(seen, stored), [], `seed ${seed}`);
  assert.deepEqual(
    stored.map((entry) => entry.position),
    stored.map((_, i) => i + 1),
    "positions are dense",
  );
  assert.equal(clashes, 0, "appends wait for each other: none is refused because another one took its positions");
});

test("G1, G2, G3, G4 hold while database connections are cut and every hint is lost", async () => {
  const { seed, recorded } = await run({ cuts: 40, hintLoss: 1, messages: 25 });
  const { sent, attempts, stored, hubs } = recorded;
  assert.deepEqual(lost(sent, stored), [], `seed ${seed}`);
  assert.deepEqual(doubled(sent, attempts, stored), [], `seed ${seed}`);
  assert.deepEqual(reordered(sent, stored), [], `seed ${seed}`);
  for (const seen of hubs) assert.deepEqual(skipped(seen, stored), [], `seed ${seed}`);
});

test("control of G3: with a plain sequence in place of the head, a reader skips entries", async () => {
  const { recorded } = await run({ hintLoss: 1 }, noSequence).catch(() => ({ recorded: undefined }));
  assert.ok(recorded, "the run with the planted bug must end");
  assert.notDeepEqual(skipped(recorded.reader, recorded.stored), []);
});

test("control of G2: without the look at earlier transactions, a retry is appended again", async () => {
  const forgetful: [string, string][] = [
    [
      "(select t.answer from log.transactions t where t.session_id = s.session and t.txn_key = s.txn) as first_answer",
      "null::text as first_answer",
    ],
  ];
  const { recorded } = await run({}, forgetful);
  assert.notDeepEqual(doubled(recorded.sent, recorded.attempts, recorded.stored), []);
});

test("control of G1: where the client is answered before the commit, a cut connection loses what was acknowledged", async () => {
  const { recorded } = await run({ cuts: 40, answersTooEarly: true });
  assert.notDeepEqual(lost(recorded.sent, recorded.stored), []);
});
