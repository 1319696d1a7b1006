/** The paths of the messages domain. */
import type { Route } from "../http.ts";
import { eventByTime } from "./by-time.ts";
import { context } from "./context.ts";
import { event } from "./event.ts";
import { history } from "./history.ts";
import { redact } from "./redact.ts";
import { relationRoutes } from "./relations.ts";
import { send } from "./send.ts";
import { threads } from "./threads.ts";

export const routes: readonly Route[] = [
  send,
  redact,
  history,
  event,
  context,
  eventByTime,
  threads,
  ...relationRoutes,
];
