/** What is over is forgotten after its time, and nothing that is open or younger. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../../testkit/src/server.ts";
import { insertImport, setJob } from "../imports/queries.ts";
import { limits } from "../limits.ts";
import { forgetFinished } from "./forget.ts";

const config = { roles: ["auth", "messages", "web"] as ("auth" | "messages" | "web")[] };
const HOUR_MS = 3_600_000;

test("jobs and imports that are over go after their time, all of them; open ones and younger ones stay", async () => {
  await using server = await startTestServer({ config });
  const { ctx } = server;
  const { console: db } = ctx.db;
  const old_ms = limits.finishedKept_ms + HOUR_MS;
  const make = async (state: string, ended_ms: number | null, rows: number) => {
    const job = await db.one<{ id: number }>(
      `insert into console.jobs (kind, parameters, created_by, state, created_at, ended_at)
       values ('import.people', '{}', 'test', $1, now() - $3 * interval '1 millisecond', now() - $2 * interval '1 millisecond') returning job_id as id`,
      [state, ended_ms, old_ms],
    );
    const people = Array.from({ length: rows }, (_, row) => ({ row: row + 1, username: `person${row}` }));
    const importId = await insertImport(db, { kind: "people", by: "test", rows: people });
    await setJob(db, importId, job?.id as number);
    await db.change(
      "update console.imports set created_at = now() - $2 * interval '1 millisecond' where import_id = $1",
      [importId, old_ms],
    );
    return { job: job?.id, importId };
  };
  for (const state of ["done", "failed", "cancelled"]) await make(state, old_ms, limits.finished_rows / 2 + 1);
  const staying = [
    await make("queued", null, 2),
    await make("running", null, 2),
    await make("done", limits.finishedKept_ms - HOUR_MS, 2),
  ];
  await forgetFinished(ctx);
  const ids = async (sql: string) => (await db.query<{ id: number }>(sql)).map(({ id }) => id);
  assert.deepEqual(
    await ids("select job_id as id from console.jobs order by 1"),
    staying.map(({ job }) => job),
  );
  const imports = staying.map(({ importId }) => importId);
  assert.deepEqual(await ids("select import_id as id from console.imports order by 1"), imports);
  assert.deepEqual(
    await ids("select import_id as id from console.import_rows order by 1"),
    imports.flatMap((id) => [id, id]),
  );
});
