/** The paths of the push domain. */
import type { Route } from "../http.ts";
import { getNotifications } from "./notifications.ts";
import { pusherRoutes } from "./pusher-routes.ts";
import { ruleRoutes } from "./rule-routes.ts";

export const routes: readonly Route[] = [...ruleRoutes, ...pusherRoutes, getNotifications];
