/** The paths of the messages domain. */
import type { Route } from "../http.ts";
import { context, event } from "./event.ts";
import { history } from "./history.ts";
import { redact } from "./redact.ts";
import { relationRoutes, threads } from "./relations.ts";
import { send } from "./send.ts";

export const routes: readonly Route[] = [send, redact, history, event, context, threads, ...relationRoutes];
