/** What only the store in PostgreSQL has to do by itself: nothing there ends with its time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestDatabase } from "../../../testkit/src/server.ts";
import { simulate } from "../../../testkit/src/simulation.ts";
import { soonFound } from "../../../testkit/src/wait.ts";
import { openDatabase } from "../db/database.ts";
import { limits } from "../limits.ts";
import { openPostgresqlStore } from "./postgresql.ts";

test("an upload that nobody goes on with is not seen any more when its time is over, and is swept out then", async () => {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await createTestDatabase());
  const databases = openDatabase({ url: database.url, connections: 2, onError() {} });
  stack.defer(() => databases.close());
  const db = databases.ephemeral;
  const world = simulate(1);
  const store = openPostgresqlStore({ db, seams: world.seams });
  stack.defer(() => store.close());
  const kept = async () =>
    (await db.query<{ id: string }>("select upload_id as id from ephemeral.uploads")).map(({ id }) => id);
  const upload = (id: string) => ({ id, userId: "@alice:x", status: "uploading" as const, bytes: 1, total: 2 });

  await store.setUploads([upload("over"), upload("going on")]);
  assert.equal((await store.upload("over"))?.bytes, 1);
  await db.query("update ephemeral.uploads set until_ms = ephemeral.now_ms() - 1 where upload_id = 'over'");
  assert.equal(await store.upload("over"), undefined);
  assert.equal((await store.upload("going on"))?.bytes, 1);

  assert.deepEqual((await kept()).toSorted(), ["going on", "over"]);
  await world.advance(limits.ephemeralSweep_ms);
  assert.deepEqual(
    await soonFound("what is over was swept out", async () => {
      const ids = await kept();
      return ids.length === 1 && ids;
    }),
    ["going on"],
  );
});
