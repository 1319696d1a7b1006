/** The paths of the web domain. */
import type { Route } from "../http.ts";

export const routes: readonly Route[] = [];
