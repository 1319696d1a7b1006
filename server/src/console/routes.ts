/** The paths of the console: the operator API, and the console's own back end under /api. */
import { postToWebhook } from "../bots/post.ts";
import type { Route } from "../http.ts";
import { pagesRoutes } from "./bff/by-pages.ts";
import { consoleRoutes } from "./bff/routes-of.ts";
import { sessionRoutes } from "./bff/sign-in.ts";
import { moderationRoutes } from "./moderation.ts";
import { apiRoutes } from "./mount.ts";
import { operations } from "./operations.ts";
import { referenceRoutes } from "./reference.ts";
import { personRoutes } from "../person/own-exports.ts";
import { setPasswordRoutes } from "./set-password.ts";

export const routes: readonly Route[] = [
  ...sessionRoutes,
  ...pagesRoutes,
  ...setPasswordRoutes,
  ...referenceRoutes(operations),
  ...moderationRoutes,
  ...apiRoutes(operations),
  ...consoleRoutes(operations),
  ...personRoutes,
  postToWebhook,
];
