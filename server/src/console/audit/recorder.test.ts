/** What a transaction that is undone leaves in the audit log, and in the log of the process. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../../../testkit/src/server.ts";
import type { Context } from "../../context.ts";
import type { Db } from "../../db/database.ts";
import { listEntries } from "./entries.ts";
import { openRecorder } from "./recorder.ts";

const act = {
  actor: { userId: "@ana:localhost", via: "token" as const, address: "127.0.0.1" },
  action: "users.suspend_many",
};

/** The server's context with a log that is kept, and transactions that are undone when they are about to be committed. */
function undoing({ db }: Context): { ctx: Context; told: unknown[] } {
  const told: unknown[] = [];
  const transaction: Db["transaction"] = (run) =>
    db.console.transaction(async (within) => {
      await run(within);
      throw new Error("the commit failed");
    });
  const logger = { info: (line: { audit: number }) => told.push(line.audit), error: () => {} };
  return { ctx: { logger, db: { ...db, console: { ...db.console, transaction } } } as unknown as Context, told };
}

test("what was done before a transaction that is undone is in the log, and nothing of the transaction", async () => {
  await using server = await startTestServer();
  const { ctx, told } = undoing(server.ctx);
  const recorder = openRecorder(ctx, act);
  recorder.audit({ target: "@before:localhost" });
  const undone = recorder.transact(async () => recorder.audit({ target: "@within:localhost" }));
  await assert.rejects(undone, /the commit failed/);
  recorder.audit({ target: "@after:localhost" });
  await recorder.failed(new Error("the commit failed"));
  const entries = await listEntries(server.ctx, {}, { below: null, limit: 10 });
  assert.deepEqual(
    entries.map(({ target, outcome }) => [target, outcome]),
    [
      [null, "failed"],
      ["@after:localhost", "done"],
      ["@before:localhost", "done"],
    ],
  );
  assert.deepEqual(
    told,
    entries.map(({ position }) => position).toReversed(),
    "the process's log tells of what is there, and of nothing else",
  );
});
