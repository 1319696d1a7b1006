/** The paths of the media domain. */
import type { Route } from "../http.ts";

export const routes: readonly Route[] = [];
