/** G1, G4: a fail-over that loses what was shown and never acknowledged. Nobody relies on it, and whoever saw it starts over. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { type Database, openDatabase } from "../db/database.ts";
import { migrate } from "../db/migrate.ts";
import type { LogEntry, Submission } from "./entry.ts";
import { type Log, openLog } from "./open.ts";
import { readTransaction } from "./queries.ts";
import { createLogger } from "../logger.ts";
import { createMetrics } from "../metrics.ts";
import { realSeams, type Seams } from "../seams.ts";
import { skipped } from "../../../testkit/src/log/check.ts";
import { createPostgres, createStandby, makeSynchronous, promote, until } from "../../../testkit/src/postgres.ts";
import { temporaryDirectory } from "../../../testkit/src/process.ts";

function messageOf(key: string): Submission {
  const eventId = `$${key}`;
  return {
    lane: "!room",
    transaction: { session: 1, key, answer: eventId },
    entries: [{ kind: "event", room: "!room", user: "@w:test", event_id: eventId, type: "m", ts: 0, body: "{}" }],
  };
}

/** One process with its own connections, and what its hub handed out. */
async function openProcess(url: string, seams: Seams = realSeams) {
  const db: Database = openDatabase({ url, connections: 3, onError: () => {} });
  const seen: LogEntry[] = [];
  const state = { isForked: false };
  const log: Log = await openLog({
    db,
    seams,
    logger: createLogger("silent"),
    metrics: createMetrics(),
    announce: () => {},
    onForked: () => void (state.isForked = true),
  });
  log.hub.listen((entries) => seen.push(...entries));
  return { db, log, seen, state };
}

/** It looks at the log only when it is asked for something. */
const blind: Seams = { ...realSeams, every: () => ({ cancel: () => {} }) };

/**
 * Two messages are written. The second has no standby to wait for, and the backend that waits with it is ended: so it is shown,
 * and lost with the primary. A third one gets its position.
 */
async function loseWhatWasShown({ plant }: { plant?: string } = {}) {
  await using ending = new AsyncDisposableStack();
  const directory = ending.adopt(temporaryDirectory(), async (each) => each[Symbol.dispose]());
  const primary = ending.adopt(await createPostgres(join(directory.path, "a")), (each) => each.crash());
  await migrate(primary.url);
  const standby = await createStandby(primary, { directory: join(directory.path, "b"), name: "b" });
  ending.defer(() => standby.crash());
  await makeSynchronous(primary, "b");
  const hosts = [primary, standby].map(({ socket }) => `${encodeURIComponent(join(socket, ".."))}:5432`);
  const url = `postgres://parley@${hosts.join(",")}/postgres`;
  const [writer, reader, late] = [await openProcess(url), await openProcess(url), await openProcess(url, blind)];
  for (const each of [reader, late]) ending.defer(() => each.db.close());
  for (const each of [writer, reader, late]) ending.defer(() => each.log.hub.close());
  const first = await writer.log.append(messageOf("first"));
  const position = first.outcome === "appended" ? (first.entries[0]?.position as number) : Number.NaN;
  for (const each of [reader, late]) await each.log.reached(position);
  await standby.crash();

  const told = { second: false };
  void writer.log.append(messageOf("second")).then(
    () => (told.second = true),
    () => {},
  );
  await until("the end of a backend that waits for the standby", async () => {
    const ended = await primary.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'",
    );
    return ended.length > 0;
  });
  await reader.log.reached(position + 1);
  const shown = reader.seen.at(-1)?.eventId;
  const plain = await reader.db.log.one<{ answer: string }>(
    "select answer from log.transactions where session_id = 1 and txn_key = 'second'",
  );
  let found: string | undefined;
  void readTransaction(reader.db.log, 1, "second").then(
    (answer) => (found = answer),
    () => {},
  );
  await until("a look that waits for the standby", async () => {
    // The sender's process looks too.
    const waiting = await primary.query("select from pg_stat_activity where wait_event = 'SyncRep'");
    return waiting.length === 2;
  });
  const relied = { sender: told.second, retry: found, plain: plain?.answer };

  // It ends too: what it was about to say again is not said.
  const gone = writer.db.close();
  await primary.crash();
  await gone;
  await standby.start();
  await promote(standby);
  if (plant !== undefined) await standby.query(plant);
  const next = await openProcess(url);
  ending.defer(() => next.db.close());
  ending.defer(() => next.log.hub.close());
  await next.log.append(messageOf("third"));
  const stored = await standby.query<{ position: string; eventId: string }>(
    `select position, event_id as "eventId" from log.entries order by position`,
  );
  await late.log.reached(position + 1);
  await Promise.race([
    reader.log.reached(position + 2).catch(() => {}),
    until("the reader's next look", async () => reader.state.isForked || next.log.epoch === 1),
  ]);
  return {
    position,
    shown,
    relied,
    reader,
    late,
    next,
    skipped: [reader, late].map(({ seen }) =>
      skipped(
        seen.map((entry) => ({ position: entry.position, eventId: entry.eventId as string })),
        stored.map((entry) => ({ position: Number(entry.position), eventId: entry.eventId })),
      ),
    ),
  };
}

test("what is shown and lost in a fail-over: nobody was told that it is safe, and whoever saw it starts over", async () => {
  const { position, shown, relied, reader, late, next, skipped: missed } = await loseWhatWasShown();
  assert.equal(shown, "$second", "it was shown");
  assert.equal(relied.plain, "$second", "control of G1: a look that waits for nothing would have said so");
  assert.deepEqual([relied.sender, relied.retry], [false, undefined], "and nobody was told that it was safe");
  assert.ok(reader.state.isForked, "the process that handed it out ends");
  assert.deepEqual(
    reader.seen.map(({ eventId }) => eventId),
    ["$first", "$second"],
    "and hands out nothing more",
  );
  assert.ok(!late.state.isForked, "one that did not see it goes on");
  assert.deepEqual(missed[1], [], "and misses nothing");
  assert.equal(late.log.epoch, next.log.epoch);
  const before = next.log.epoch - 1;
  assert.ok(await next.log.holdsNow({ epoch: before, position }), "a token of before is good up to what was lost");
  assert.ok(!(await next.log.holdsNow({ epoch: before, position: position + 1 })), "and not behind it");
});

test("control of G4: without the note of where a history goes on, a reader misses what took the place of what was lost", async () => {
  const { reader, next, skipped: missed } = await loseWhatWasShown({ plant: "drop trigger fork on log.head" });
  assert.ok(!reader.state.isForked);
  assert.equal(next.log.epoch, reader.log.epoch);
  assert.notDeepEqual(missed[0], []);
});
