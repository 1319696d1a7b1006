/** What the role worker does beside the queue: each part runs in any number of processes, and sees to it that its work is done once. */
import type { Context } from "../context.ts";
import type { Route } from "../http.ts";

export const routes: readonly Route[] = [];

type Part = (ctx: Context) => Promise<() => Promise<void>>;

/** Imported only where the process has the role. */
const parts: readonly (() => Promise<Part>)[] = [
  async () => (await import("../graph/worker.ts")).startGraph,
  async () => (await import("../search/worker.ts")).startIndexing,
  async () => (await import("../appservice/worker.ts")).startServices,
  async () => (await import("./jobs.ts")).startJobs,
  async () => (await import("./forget.ts")).startForgetting,
  async () => (await import("../messages/delayed-send.ts")).startDelayed,
  async () => (await import("../retention/schedule.ts")).startSchedule,
  async () => (await import("../insight/gather.ts")).startGathering,
  async () => (await import("../auth/session-limits.ts")).startEndingSessions,
  async () => (await import("../system/doctor.ts")).startExamining,
  async () => (await import("../push/worker.ts")).startPushing,
  async () => (await import("../console/audit/stream/worker.ts")).startAuditStream,
];

/** Starts all parts; gives the function that ends them, the newest first. */
export async function start(ctx: Context): Promise<() => Promise<void>> {
  const running: (() => Promise<void>)[] = [];
  for (const part of parts) running.push(await (await part())(ctx));
  return async () => {
    for (const end of running.toReversed()) await end();
  };
}
