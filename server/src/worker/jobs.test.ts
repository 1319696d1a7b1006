/** Jobs come to an end, whatever happens to those who work on them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../../../testkit/src/postgres.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { limits } from "../limits.ts";
import { claimJob, insertJob, noteStep } from "./job-queries.ts";
import { createJob, runJobs, startJobs } from "./jobs.ts";

const config = { roles: ["auth", "messages", "web"] as ("auth" | "messages" | "web")[] };

test("a job that ends the process of whoever works on it is given up after some of them", async () => {
  await using server = await startTestServer({ config });
  const { ctx } = server;
  const { console: db } = ctx.db;
  const parameters = { roomId: "!nobody:localhost" };
  const jobId = await insertJob(db, { kind: "room.purge", parameters, createdBy: "test" });
  const dies = async () => {
    const job = await claimJob(ctx, `worker ${ctx.seams.randomInt(1_000_000)}`);
    await db.change("update console.jobs set leased_until = now() - interval '1 second'");
    return job;
  };
  const first = await dies();
  assert.ok(first && (await noteStep(ctx, first, { cursor: null, progress: {}, isDone: false })) === "on");
  for (let death = 0; death <= limits.job_failures; death++) {
    await db.change("update console.jobs set leased_until = now() - interval '1 second'");
    assert.equal(
      (await dies())?.failures,
      death + 1,
      "a step that was done between two deaths makes the count begin anew",
    );
  }
  await runJobs(ctx);
  const job = await db.one("select state, error is not null as says from console.jobs where job_id = $1", [jobId]);
  assert.deepEqual(job, { state: "failed", says: true });
});

test("a job of a kind that only a newer version knows waits for a worker of that version", async () => {
  await using server = await startTestServer({ config });
  const { ctx } = server;
  const job = { parameters: { roomId: "!nobody:localhost" }, createdBy: "test" };
  const newer = await insertJob(ctx.db.console, { ...job, kind: "room.of_tomorrow" });
  await insertJob(ctx.db.console, { ...job, kind: "room.purge" });
  await runJobs(ctx);
  const rows = await ctx.db.console.query("select kind, state, failures from console.jobs order by job_id");
  assert.deepEqual(rows[0], { kind: "room.of_tomorrow", state: "queued", failures: 0 }, `job ${newer}`);
  assert.notEqual(rows[1]?.state, "queued", "one that waits holds up none behind it");
});

test("a job that is made in a transaction begins with its commit, and not before", async () => {
  await using server = await startTestServer({ config });
  // Nobody looks for jobs but who is told of one.
  const ctx = { ...server.ctx, seams: { ...server.ctx.seams, every: () => ({ cancel() {} }) } };
  const stop = await startJobs(ctx);
  const state = async () => (await ctx.db.console.one("select state from console.jobs"))?.["state"];
  await ctx.db.console.transaction(async (db) => {
    await createJob(ctx, { kind: "room.purge", parameters: { roomId: "!nobody:localhost" }, createdBy: "test" }, db);
    // Whoever were told already would have looked before this, and would not look again.
    await runJobs(ctx);
  });
  await until("the job was worked on", async () => (await state()) !== "queued");
  await stop();
});
