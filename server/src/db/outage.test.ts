/** G15: how long somebody waits for a database that is away, on a clock that moves on as far as they wait. */
import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { realSeams, type Seams } from "../seams.ts";
import { openDatabase } from "./database.ts";
import { openOutage, ReadOnlyServer, unavailable } from "./outage.ts";

const PROMISE_MS = 10_000;
const told = { errcode: "IO_PARLEY_UNAVAILABLE", status: 503, retryAfter_ms: 2_000 };

/** Whoever waits for longer than twice the promise would wait for ever. */
function skipping() {
  let now_ms = 0;
  const seams: Seams = {
    ...realSeams,
    monotonic_ms: () => now_ms,
    after(delay_ms, action) {
      now_ms += delay_ms;
      assert.ok(now_ms < 2 * PROMISE_MS, "somebody waits for longer than twice the promise");
      const timer = setImmediate(action);
      return { cancel: () => clearImmediate(timer) };
    },
  };
  return { seams, now_ms: () => now_ms, skip: (time_ms: number) => void (now_ms += time_ms) };
}

test("who meets a database that is away waits for 10 s at the most, and whoever comes then is told at once", async () => {
  const { seams, now_ms } = skipping();
  const db = openDatabase({ url: "postgres://a@127.0.0.1:1/a", connections: 1, onError: () => {}, seams });
  await assert.rejects(db.log.query("select 1"), told);
  const waited_ms = now_ms();
  assert.ok(waited_ms >= limits.databasePatience_ms && waited_ms <= PROMISE_MS + 200, `it took ${waited_ms} ms`);
  await assert.rejects(
    db.log.transaction(async () => {}),
    told,
  );
  await assert.rejects(db.auth.query("select 1"), told);
  assert.equal(now_ms(), waited_ms, "the outage is one for all");
  await db.close();
});

test("a success ends the outage: the next one has its whole patience again", async () => {
  const { seams, now_ms, skip } = skipping();
  const outage = openOutage(seams, 1_000);
  const away = () => Promise.reject(unavailable(new Error("away"), { mayHaveRun: false }));
  await assert.rejects(outage.patiently(away), told);
  await outage.patiently(async () => "here");
  skip(5_000);
  const before_ms = now_ms();
  await assert.rejects(outage.patiently(away), told);
  assert.ok(now_ms() - before_ms >= 1_000);
});

test("reads that succeed do not draw out how long a change waits for a database that only reads", async () => {
  const { seams, now_ms } = skipping();
  const outage = openOutage(seams, 1_000);
  const change = async () => {
    await outage.patiently(async () => "read meanwhile");
    throw unavailable(new ReadOnlyServer(), { mayHaveRun: false });
  };
  await assert.rejects(outage.patiently(change), told);
  assert.ok(now_ms() >= 1_000 && now_ms() <= 1_200, `it took ${now_ms()} ms`);
});

test("what may have run, what ran for too long, and what is no outage, is told at once", async () => {
  const { seams, now_ms } = skipping();
  const outage = openOutage(seams);
  const lost = () => Promise.reject(unavailable(new Error("cut"), { mayHaveRun: true }));
  await assert.rejects(outage.patiently(lost), told);
  // The database has ended it, and would do so again.
  const ended = Object.assign(new pg.DatabaseError("canceled", 0, "error"), { code: "57014" });
  const tooLong = () => Promise.reject(unavailable(ended, { mayHaveRun: false }));
  await assert.rejects(outage.patiently(tooLong), told);
  await assert.rejects(
    outage.patiently(() => Promise.reject(matrixError("M_FORBIDDEN", "No."))),
    {
      errcode: "M_FORBIDDEN",
    },
  );
  assert.equal(now_ms(), 0);
});
