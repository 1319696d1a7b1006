/** G1 to G4 in 2,000 simulated schedules, and for each check the planted bug that it must find. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { forSeeds, simulate } from "../simulation.ts";
import { conflicting, doubled, lost, reordered, skipped } from "./check.ts";
import { type Plants, type Recorded, runSchedule } from "./schedule.ts";

const SCHEDULES = 2_000;
/** A planted bug must be found within so many. */
const CONTROLS = 100;

/** Each check and what it finds in a recorded schedule. */
const checks = {
  lost: ({ sent, stored }: Recorded) => lost(sent, stored),
  doubled: ({ sent, attempts, stored }: Recorded) => doubled(sent, attempts, stored),
  reordered: ({ sent, stored }: Recorded) => reordered(sent, stored),
  skipped: ({ readers, stored }: Recorded) => readers.flatMap((seen) => skipped(seen, stored)),
  conflicting: ({ readers, hubs, stored }: Recorded) => conflicting([stored, ...readers, ...hubs]),
};

test(`${SCHEDULES} schedules: nothing is lost, doubled, reordered, skipped or seen twice at one position`, async () => {
  let acknowledged = 0;
  await forSeeds(SCHEDULES, async (world) => {
    const recorded = await runSchedule(world);
    for (const [name, find] of Object.entries(checks)) assert.deepEqual(find(recorded), [], name);
    acknowledged += recorded.sent.filter(({ answers }) => answers.length > 0).length;
  });
  assert.ok(acknowledged > 0);
});

test("a schedule is repeated by its seed, to the last answer", async () => {
  for (let seed = 1; seed <= 20; seed++)
    assert.deepEqual(await runSchedule(simulate(seed)), await runSchedule(simulate(seed)), `seed ${seed}`);
});

const controls: [bug: string, plants: Plants, check: keyof typeof checks][] = [
  ["G1: a standby that no commit waits for", { asynchronous: true }, "lost"],
  ["G1: an answer before the commit", { answersTooEarly: true }, "lost"],
  ["G2: retries that are not recognised", { forgetsTransactions: true }, "doubled"],
  ["G3: numbers that are taken before the commit", { sequence: true }, "skipped"],
  ["G3: numbers from blocks of each process", { blocks: true }, "reordered"],
  ["G3: a history that was lost and written anew", { asynchronous: true }, "conflicting"],
  ["G4: processes that trust the bus", { trustsTheBus: true }, "skipped"],
];

for (const [bug, plants, check] of controls)
  test(`control of ${bug} is found as ${check}`, async () => {
    for (let seed = 1; seed <= CONTROLS; seed++) {
      const recorded = await runSchedule(simulate(seed), plants).catch(() => undefined);
      if (recorded && checks[check](recorded).length > 0) return;
    }
    assert.fail(`not found in ${CONTROLS} schedules`);
  });
