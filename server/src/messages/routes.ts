/** The paths of the messages domain. */
import type { Route } from "../http.ts";

export const routes: readonly Route[] = [];
