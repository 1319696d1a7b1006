/** The paths of the keys domain. */
import type { Route } from "../http.ts";

export const routes: readonly Route[] = [];
