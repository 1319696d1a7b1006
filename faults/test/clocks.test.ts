/** G14: clocks may lie. What is in order is in order whatever the clocks of the processes say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { missingFaketime } from "../../testkit/src/services.ts";
import type { Fault } from "../src/faults.ts";
import { isClean, judge } from "../src/judge.ts";
import { complaints } from "../src/report.ts";
import { runSchedule, type Watched } from "../src/schedule.ts";
import { openWorld } from "../src/world.ts";

const writing: Fault = {
  name: "nothing",
  group: "process",
  async run(_world, _random, note) {
    await wait(1_500);
    note();
  },
};

test(
  "with clocks that are wrong by up to an hour nothing is lost, duplicated, reordered or misread",
  {
    skip: missingFaketime(),
  },
  async () => {
    await using world = await openWorld({ bus: "postgresql", queue: "none", clocksOff: true });
    let seen: Watched | undefined;
    const outcome = await runSchedule(world, 1, { chosen: [writing], watch: (all) => (seen = all) });
    assert.deepEqual(complaints(outcome), []);
    assert.ok(seen);
    // The control: the same history, in the order in which the clocks saw it.
    const found = seen.found.toSorted((a, b) => a.ts - b.ts);
    const verdict = judge({ ...seen, found });
    assert.ok(!isClean(verdict));
    assert.notDeepEqual(verdict.reordered, [], "an order by time would be found");
  },
);
