/** The paths of the rooms domain. */
import type { Route } from "../http.ts";

export const routes: readonly Route[] = [];
