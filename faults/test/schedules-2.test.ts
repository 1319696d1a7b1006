/** G1 to G4 and G14 on real processes, with messages that go through a queue and clocks that are wrong by up to an hour. */
import { test } from "node:test";
import { missingFaketime } from "../../testkit/src/services.ts";
import { runSchedules } from "./run.ts";

test("ten schedules with a queue: nothing is lost, duplicated, reordered or misread, and everybody is served again", () =>
  runSchedules(11, 10, { queue: "postgresql", clocksOff: missingFaketime() === false }));
