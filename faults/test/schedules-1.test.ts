/** G1 to G4 on real processes and a real PostgreSQL with its standby. Half of the schedules: a file of tests has five minutes. */
import { test } from "node:test";
import { runSchedules } from "./run.ts";

test("ten schedules: nothing is lost, duplicated, reordered or misread, and everybody is served again", () =>
  runSchedules(1, 10, { queue: "none", clocksOff: false }));
