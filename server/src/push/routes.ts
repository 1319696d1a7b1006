/** The paths of the push domain. */
import type { Route } from "../http.ts";

export const routes: readonly Route[] = [];
