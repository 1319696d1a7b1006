/** The paths of the account domain. */
import type { Route } from "../http.ts";
import { accountDataRoutes } from "./data.ts";
import { filterRoutes } from "./filters.ts";
import { profileRoutes } from "./profile.ts";

export const routes: readonly Route[] = [...filterRoutes, ...accountDataRoutes, ...profileRoutes];
