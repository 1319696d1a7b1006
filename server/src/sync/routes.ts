/** The paths of the sync domain. */
import type { Route } from "../http.ts";

export const routes: readonly Route[] = [];
