/** The paths of the auth domain. */
import type { Route } from "../http.ts";

export const routes: readonly Route[] = [];
