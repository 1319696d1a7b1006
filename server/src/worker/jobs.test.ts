/** Jobs come to an end, whatever happens to those who work on them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../../testkit/src/server.ts";
import { limits } from "../limits.ts";
import { claimJob, insertJob, noteStep } from "./job-queries.ts";
import { runJobs } from "./jobs.ts";

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
