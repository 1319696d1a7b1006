/** The paths of the directory domain. */
import type { Route } from "../http.ts";

export const routes: readonly Route[] = [];
