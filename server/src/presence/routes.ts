/** The paths of the presence domain. */
import type { Route } from "../http.ts";

export const routes: readonly Route[] = [];
