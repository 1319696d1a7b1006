// The long run is `npm run fuzz -- --requests 100000`.

import assert from "node:assert/strict";
import test from "node:test";
import { specOrSkip } from "../openapi/spec-dir.ts";
import { seedOfRun } from "../log/random.ts";
import { startTestServer } from "../server.ts";
import { fuzz } from "./run.ts";

const requests = 1_500;

test("whatever is sent in place of what should be, the answer is one of the specification, and never a failure of the server", async (t) => {
  const dir = specOrSkip(t);
  if (dir === undefined) return;
  const seed = seedOfRun();
  await using server = await startTestServer();
  const { failures, statuses, targets } = await fuzz({ server, dir, requests, seed });
  assert.deepEqual(failures.slice(0, 10), [], `PARLEY_TEST_SEED=${seed} repeats it`);
  assert.ok(targets > 250, `only ${targets} operations`);
  for (const status of [200, 400, 403, 404]) assert.ok((statuses.get(status) ?? 0) > 5, `hardly any ${status}`);
});
