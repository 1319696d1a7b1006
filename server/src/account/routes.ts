/** The paths of the account domain. */
import type { Route } from "../http.ts";

export const routes: readonly Route[] = [];
