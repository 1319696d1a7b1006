/** The paths of the directory domain. */
import type { Route } from "../http.ts";
import { aliasRoutes } from "./alias-routes.ts";

export const routes: readonly Route[] = [...aliasRoutes];
