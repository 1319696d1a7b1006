/** Samples: what processes count adds up, late minutes are heard, the table stays small, and quantiles are those of the deliveries. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { registerPerson } from "../../../testkit/src/http.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { realSeams } from "../seams.ts";
import { gather } from "./gather.ts";
import { deliveryBuckets_s, deliveryQuantile_ms, growth } from "./numbers.ts";
import { openSampler } from "./sampler.ts";
import {
  addSample,
  lastMinute_ms,
  merged,
  MINUTE_MS,
  QUARTER_MS,
  readSamples,
  rollUp,
  type Sample,
} from "./samples.ts";
import { allSeries, isCount } from "./series.ts";

const NOON_MS = Date.UTC(2026, 5, 1, 12);

test("the quantile of deliveries lies in the bucket in which that part of them is", () => {
  // 90 within 5 ms, 9 within 100 ms, 1 beyond 30 s.
  const numbers = { d2: 90, d6: 9, d14: 1 };
  assert.equal(deliveryBuckets_s[2], 0.005);
  const [p50, p95, p99, p100] = [0.5, 0.95, 0.99, 1].map((part) => deliveryQuantile_ms(numbers, part) as number);
  assert.ok(p50 !== undefined && p50 > 2.5 && p50 <= 5, `${p50}`);
  assert.ok(p95 !== undefined && p95 > 50 && p95 <= 100, `${p95}`);
  assert.equal(p99, 100);
  assert.equal(p100, 30_000, "nothing is known of how long it took beyond the last end");
  assert.equal(deliveryQuantile_ms({}, 0.5), null);
});

test("only what grew is told, and of gauges the mean counts where counts are added up", () => {
  assert.deepEqual(growth({ a: 5, b: 2, c: 1 }, { a: 3, b: 2 }), { a: 2, c: 1 });
  const samples: Sample[] = [
    { at_ms: 0, numbers: { sends: 2, streams: 10 } },
    { at_ms: 1, numbers: { sends: 3, streams: 20, online: 4 } },
  ];
  assert.deepEqual(merged(samples, isCount), { sends: 5, streams: 15, online: 4 });
});

/** A minute has just begun by it: the server does not count one by itself before these tests are over. */
const late_ms = realSeams.now_ms() % MINUTE_MS;
const server = await startTestServer({ seams: { ...realSeams, now_ms: () => realSeams.now_ms() - late_ms } });
after(() => server.stop());
const { ctx } = server;
const { log: db } = ctx.db;

test("the numbers of two processes of one minute are one row", async () => {
  await addSample(db, { at_ms: NOON_MS, numbers: { sends: 2, streams: 1, append_s: 0.25 } });
  await addSample(db, { at_ms: NOON_MS, numbers: { sends: 5, connects: 3, append_s: 0.5 } });
  const samples = await readSamples(db, 60, NOON_MS);
  assert.deepEqual(samples, [{ at_ms: NOON_MS, numbers: { sends: 7, streams: 1, connects: 3, append_s: 0.75 } }]);
});

test("a quarter has what its minutes have, also a late one; old rows go", async () => {
  await rollUp(db, NOON_MS + QUARTER_MS + 2 * MINUTE_MS, isCount);
  await addSample(db, { at_ms: NOON_MS + MINUTE_MS, numbers: { sends: 1, streams: 3 } });
  await rollUp(db, NOON_MS + QUARTER_MS + 3 * MINUTE_MS, isCount);
  const [quarter] = await readSamples(db, 900, NOON_MS);
  assert.deepEqual([quarter?.numbers["sends"], quarter?.numbers["streams"]], [8, 2]);
  const later_ms = NOON_MS + 26 * 3_600_000;
  await addSample(db, { at_ms: later_ms, numbers: { sends: 1 } });
  assert.deepEqual(
    (await readSamples(db, 60, 0)).map(({ at_ms }) => at_ms),
    [later_ms],
  );
  await rollUp(db, NOON_MS + 32 * 86_400_000, isCount);
  assert.deepEqual(await readSamples(db, 900, 0), []);
});

test("what people do is counted, each thing once, and one worker gathers the rest", async () => {
  await db.change("delete from log.samples");
  const sample = openSampler(ctx);
  await sample();
  const ana = await registerPerson(server.url, "ana");
  const room = await createRoom(ana);
  for (const text of ["one", "two", "three"]) await room.say(ana, text);
  // The process counts by its clock and the worker by the database's, so that their minutes may be two.
  const numbersOf = async (name: string) =>
    (await readSamples(db, 60, 0)).flatMap(({ numbers }) => numbers[name] ?? []);
  const sumOf = async (name: string) => (await numbersOf(name)).reduce((sum, number) => sum + number, 0);
  const before = await sumOf("sends");
  await sample();
  await Promise.all([gather(ctx), gather(ctx)]);
  assert.equal((await sumOf("sends")) - before, 3);
  assert.ok((await sumOf("append_n")) > 0);
  assert.deepEqual(await numbersOf("accounts"), [1], "two who gather at once count once");
  assert.deepEqual(await numbersOf("active_day"), [1]);
  assert.ok((await sumOf("database_bytes")) > 1_000_000);
  assert.equal(allSeries.messages_per_hour.of({ sends: 3 }, 60), 180);
});

test("a worker whose clock is fast takes no minute that is to come, and a mark that is ahead keeps nobody", async () => {
  const ahead: typeof ctx = { ...ctx, seams: { ...ctx.seams, now_ms: () => realSeams.now_ms() + 3_600_000 } };
  const isAhead = () => db.one("select at > now() as is from log.gathered");
  await db.change("update log.gathered set at = '-infinity'");
  await gather(ahead);
  assert.deepEqual(await isAhead(), { is: false });
  await db.change("update log.gathered set at = now() + interval '1 hour'");
  await db.change("delete from log.samples");
  await gather(ctx);
  assert.deepEqual(await isAhead(), { is: false });
  assert.equal((await readSamples(db, 60, 0)).length, 1);
});

test("the minute that was over last is a whole one", () => {
  assert.equal(lastMinute_ms(NOON_MS + 59_999), NOON_MS - MINUTE_MS);
  assert.equal(lastMinute_ms(realSeams.now_ms()) % MINUTE_MS, 0);
});
