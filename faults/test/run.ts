// Schedules with these seeds on one cluster: no promise may be broken, and everybody must be served again.

import assert from "node:assert/strict";
import { complaints, render, tableOf } from "../src/report.ts";
import { type Outcome, runSchedule } from "../src/schedule.ts";
import { openWorld, type WorldOptions } from "../src/world.ts";

/** Runs `count` schedules from seed `first` on, over PostgreSQL's own bus. */
export async function runSchedules(
  first: number,
  count: number,
  { queue, clocksOff }: Omit<WorldOptions, "bus">,
): Promise<void> {
  await using world = await openWorld({ bus: "postgresql", queue, clocksOff, short: true });
  const outcomes: Outcome[] = [];
  for (let seed = first; seed < first + count; seed++) outcomes.push(await runSchedule(world, seed));
  console.log(render(tableOf(outcomes)));
  assert.deepEqual(outcomes.flatMap(complaints), []);
  assert.ok(outcomes.every(({ acknowledged }) => acknowledged > 0));
}
