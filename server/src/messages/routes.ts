/** The paths of the messages domain. */
import type { Context } from "../context.ts";
import type { Route } from "../http.ts";
import { eventByTime } from "./by-time.ts";
import { context } from "./context.ts";
import { event, eventAlone } from "./event.ts";
import { delayedRoutes } from "./delayed-routes.ts";
import { history } from "./history.ts";
import { roomInitialSync } from "./initial-sync.ts";
import { redact, redactOnce } from "./redact.ts";
import { relationRoutes } from "./relations.ts";
import { startSendWorker } from "./send-queue.ts";
import { send, sendOnce } from "./send.ts";
import { threads } from "./threads.ts";

/** Where there is a queue, this process is one of its workers, unless the settings say that others are. */
export async function start(ctx: Context): Promise<() => Promise<void>> {
  return ctx.queue && ctx.config.isQueueWorker ? startSendWorker(ctx, ctx.queue) : async () => {};
}

export const routes: readonly Route[] = [
  send,
  sendOnce,
  redact,
  redactOnce,
  history,
  event,
  eventAlone,
  roomInitialSync,
  context,
  eventByTime,
  threads,
  ...relationRoutes,
  ...delayedRoutes,
];
