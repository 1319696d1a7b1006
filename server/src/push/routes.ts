/** The paths of the push domain. */
import type { Route } from "../http.ts";
import { getNotifications } from "./notifications.ts";
import { pusherRoutes } from "./pusher-routes.ts";
import { ruleRoutes } from "./rule-routes.ts";
import { sendTest } from "./test-notification.ts";

export const routes: readonly Route[] = [...ruleRoutes, ...pusherRoutes, getNotifications, sendTest];
