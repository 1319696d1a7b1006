/** The overview and the series, over the operator API: what people did is in the numbers, and what is wrong is named. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Json, registerPerson } from "../../../testkit/src/http.ts";
import { makeAdministrator, makeOperator } from "../../../testkit/src/operators.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { openStream } from "../../../testkit/src/stream.ts";
import { insertWebhook, noteDelivery } from "../bots/webhooks.ts";
import { beginRun, endRun } from "../system/runs.ts";
import { realSeams } from "../seams.ts";
import { gather } from "./gather.ts";
import { type Facts, judge } from "./health.ts";
import { openSampler } from "./sampler.ts";
import { addSample, lastMinute_ms, MINUTE_MS, QUARTER_MS, readSamples, rollUp } from "./samples.ts";
import { isCount, seriesNames } from "./series.ts";

const ADMIN = "/_parley/admin/v1";
/** A minute has just begun by it: the server does not count one by itself before these tests are over. */
const late_ms = realSeams.now_ms() % MINUTE_MS;
const server = await startTestServer({ seams: { ...realSeams, now_ms: () => realSeams.now_ms() - late_ms } });
after(() => server.stop());
const { ctx } = server;
const root = await makeAdministrator(server, "root");

const well: Facts = {
  numbers: { requests: 100 },
  runs: () => true,
  database_ms: 1,
  hasQueue: true,
  files: { ok: true, says: "" },
};
const stateOf = (facts: Partial<Facts>, part: string) =>
  judge({ ...well, ...facts }).find((each) => each.part === part)?.state;

test("each part is well, off, or warned of, by what was counted", () => {
  assert.deepEqual(
    judge(well).map(({ state }) => state),
    ["ok", "ok", "ok", "ok", "off", "ok"],
  );
  assert.equal(stateOf({ numbers: { requests: 100, errors_5xx: 6 } }, "api"), "warn");
  assert.equal(stateOf({ numbers: { requests: 10_000, errors_5xx: 6 } }, "api"), "ok");
  assert.equal(stateOf({ runs: (role) => role !== "gateway" }, "sockets"), "warn");
  assert.equal(stateOf({ runs: (role) => role !== "auth" }, "api"), "warn");
  assert.equal(stateOf({ database_ms: 900 }, "database"), "warn");
  assert.equal(stateOf({ numbers: { append_n: 10, append_s: 5 } }, "database"), "warn");
  assert.equal(stateOf({ numbers: { db_waiting: 2 } }, "database"), "warn");
  assert.equal(stateOf({ files: { ok: false, says: "the disk is full" } }, "storage"), "warn");
  assert.equal(stateOf({ numbers: { dead_letters: 0.2 } }, "queue"), "warn");
  assert.equal(stateOf({ hasQueue: false }, "queue"), "off");
  assert.equal(stateOf({ numbers: { pushers: 3, pushers_failing: 1 } }, "push"), "ok");
  assert.equal(stateOf({ numbers: { pushers: 3, pushers_failing: 2 } }, "push"), "warn");
  assert.equal(stateOf({ numbers: { pushers: 3, pushers_late: 1 } }, "push"), "warn");
  assert.equal(stateOf({ numbers: { pushers: 3 }, runs: (role) => role !== "worker" }, "push"), "warn");
});

/** The process counts by its clock and the worker by the database's, so that their minutes may be two. Gives the newest, in ms. */
async function putInOneMinute(): Promise<number> {
  const samples = await readSamples(ctx.db.log, 60, 0);
  const newest_ms = samples.at(-1)?.at_ms ?? 0;
  for (const { at_ms, numbers } of samples.slice(0, -1)) {
    await ctx.db.log.change("delete from log.samples where at = to_timestamp($1::float8 / 1000)", [at_ms]);
    await addSample(ctx.db.log, { at_ms: newest_ms, numbers });
  }
  return newest_ms;
}

test("the overview has the parts, six numbers with a day of each, and what was done is in them", async () => {
  const ana = await registerPerson(server.url, "ana");
  const room = await createRoom(ana);
  using stream = await openStream(server.url, ana);
  for (let i = 0; i < 5; i++) await room.say(ana, `message ${i}`);
  assert.ok(stream);
  await openSampler(ctx)();
  await gather(ctx);
  const newest_ms = await putInOneMinute();
  // The minute that was over last may lack somebody's numbers: it is shown when the next is there.
  await addSample(ctx.db.log, { at_ms: newest_ms + MINUTE_MS, numbers: {} });
  const { health, numbers, checklist } = await root.call("GET", `${ADMIN}/overview`);
  assert.deepEqual(
    health.map((each: Json) => each.part),
    ["api", "sockets", "database", "storage", "push", "queue"],
  );
  const value = (name: string) => numbers.find((each: Json) => each.name === name).value;
  assert.equal(value("active_day"), 2);
  assert.equal(value("sockets"), 1);
  assert.equal(value("messages_per_hour"), 5, "as many as the last hour had");
  assert.equal(value("failed_jobs"), 0);
  assert.ok(value("online") >= 1);
  for (const { spark } of numbers) assert.deepEqual([spark.step_s, spark.values.length >= 96], [900, true]);
  const done = (step: string) => checklist.find((each: Json) => each.step === step).done;
  assert.deepEqual(
    [done("administrator"), done("people"), done("backup"), done("verified")],
    [true, true, false, false],
  );
});

test("what is wrong stands in the attention list, the worst first, and goes when it is right again", async () => {
  const kinds = async () =>
    (await root.call("GET", `${ADMIN}/overview`)).attention.map(
      (each: Json) => `${each.severity} ${each.kind} ${each.target ?? ""}`,
    );
  assert.deepEqual(await kinds(), [`warning administrator_unverified ${root.userId}`, "notice backup "]);
  await root.call("POST", `${ADMIN}/bots`, { username: "deploys", owner: root.userId });
  const { id: hook } = await insertWebhook(ctx, {
    bot: "@deploys:localhost",
    room_id: "!r:localhost",
    name: "Releases",
    created_by: root.userId,
  });
  const came = { address: "192.0.2.1", idempotency_key: null, size_bytes: 1, headers: {}, headers_left_out: 0 };
  const delivery = { ...came, event_id: null, took_ms: 1 };
  await noteDelivery(ctx, hook, { ...delivery, status: 403, error: "The room is encrypted." });
  assert.ok((await kinds()).includes(`warning webhook_failing ${hook}`));
  await noteDelivery(ctx, hook, { ...delivery, status: 200, error: null });
  const run = await beginRun(ctx, "doctor", {});
  const finding = { check: "certificates", state: "failure", says: "It expires in 2 days.", fix: "Renew it." };
  await endRun(ctx, run, { ok: false, detail: { findings: [finding] } });
  await ctx.db.queue.change(
    "insert into queue.dead (id, name, body, attempts, reason) values (1, 'read.receipts', '{}', 5, 'x')",
  );
  await ctx.db.auth.change("update auth.sessions set last_seen_at = now() - interval '40 days' where user_id = $1", [
    root.userId,
  ]);
  await root.call("POST", `${ADMIN}/system/maintenance/begin`, { message: "Soon.", reason: "a test" });
  assert.deepEqual(await kinds(), [
    "failure doctor certificates",
    `warning administrator_unverified ${root.userId}`,
    `warning administrator_stale ${root.userId}`,
    "warning dead_letters ",
    "warning maintenance ",
    "notice backup ",
  ]);
  const selfSigning =
    "insert into keys.cross_signing (user_id, usage, public_key, keys) values ($1, 'self_signing', 'k', '{}')";
  await ctx.db.keys.change(selfSigning, [root.userId]);
  await ctx.db.keys.change("insert into keys.devices (user_id, device_id, identity, keys) values ($1, $2, 'i', '{}')", [
    root.userId,
    root.deviceId,
  ]);
  const sign = (key: string) =>
    ctx.db.keys.change(
      "insert into keys.signatures (user_id, target, signer, signer_key, signature) values ($1, $2, $1, $3, 's')",
      [root.userId, root.deviceId, key],
    );
  await sign("ed25519:another");
  assert.ok((await kinds()).includes(`warning administrator_unverified ${root.userId}`), "signed by another key");
  await sign("ed25519:k");
  assert.ok(!(await kinds()).includes(`warning administrator_unverified ${root.userId}`));
  await root.call("POST", `${ADMIN}/system/maintenance/end`, {});
  await root.call("POST", `${ADMIN}/system/dead-letters/1/discard`, { reason: "a test" });
  await endRun(ctx, await beginRun(ctx, "doctor", {}), { ok: true, detail: { findings: [] } });
  await endRun(ctx, await beginRun(ctx, "backup", {}), { ok: true, detail: {} });
  assert.deepEqual(
    (await kinds()).filter((kind: string) => !kind.includes("administrator")),
    [],
  );
});

test("series are on a grid of the range's steps, and the quarters that are not over yet are among them", async () => {
  await ctx.db.log.change("delete from log.samples");
  const quarter_ms = Math.floor(ctx.seams.now_ms() / QUARTER_MS) * QUARTER_MS - 2 * QUARTER_MS;
  await addSample(ctx.db.log, {
    at_ms: quarter_ms,
    numbers: { sends: 15, d2: 10, streams: 4, decrypted: 9, undecryptable: 1 },
  });
  await rollUp(ctx.db.log, quarter_ms + QUARTER_MS + 2 * MINUTE_MS, isCount);
  await addSample(ctx.db.log, { at_ms: quarter_ms + QUARTER_MS, numbers: { sends: 3, streams: 8 } });
  const day = await root.call(
    "GET",
    `${ADMIN}/metrics?range=24h&series=messages_per_hour,delivery_p95,sockets,decryption_success`,
  );
  const at = (ms: number) => (ms - day.from_ts) / (day.step_s * 1_000);
  const [messages, p95, sockets, decrypted] = day.items.map((each: Json) => each.values);
  assert.equal(messages[at(quarter_ms)], 60, "15 in a quarter of an hour");
  assert.equal(messages[at(quarter_ms + QUARTER_MS)], 180, "3 in the one minute of which something is known");
  assert.ok(p95[at(quarter_ms)] > 2.5 && p95[at(quarter_ms)] <= 5);
  assert.deepEqual([sockets[at(quarter_ms)], sockets[at(quarter_ms + QUARTER_MS)]], [4, 8]);
  assert.equal(decrypted[at(quarter_ms)], 0.9);
  assert.equal(sockets[at(quarter_ms) - 1], null);
  const minute_ms = lastMinute_ms(ctx.seams.now_ms()) - 20 * MINUTE_MS;
  await addSample(ctx.db.log, { at_ms: minute_ms, numbers: { active_day: 7 } });
  const slow = await root.call("GET", `${ADMIN}/metrics?range=1h&series=active_day`);
  const index = (minute_ms - slow.from_ts) / MINUTE_MS;
  const { values } = slow.items[0];
  assert.deepEqual([values[index - 1], values[index], values[index + 15], values[index + 16]], [null, 7, 7, null]);
  const hour = await root.call("GET", `${ADMIN}/metrics?range=1h`);
  assert.deepEqual(
    hour.items.map((each: Json) => each.series),
    seriesNames,
  );
  assert.equal(hour.items[0].values.length, 60);
  assert.equal((await root.ask("GET", `${ADMIN}/metrics?series=nothing`)).status, 400);
  const auditor = await makeOperator(server, "adam", "auditor");
  assert.equal((await auditor.ask("GET", `${ADMIN}/metrics?range=1h&series=online`)).status, 200);
});
