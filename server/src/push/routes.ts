/** The paths of the push domain. */
import { route, type Route } from "../http.ts";
import { ruleRoutes } from "./rule-routes.ts";

export const routes: readonly Route[] = [
  ...ruleRoutes,
  // This server sends no push notifications yet, so nobody has a pusher; clients ask all the same.
  route({ method: "GET", path: "/_matrix/client/v3/pushers", access: "session", handle: () => ({ pushers: [] }) }),
];
