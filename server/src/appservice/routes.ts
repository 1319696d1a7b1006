/** The paths of application services, and of the networks that they bridge. */
import type { Route } from "../http.ts";
import { ping } from "./ping.ts";
import { thirdPartyRoutes } from "./third-party.ts";

export const routes: readonly Route[] = [ping, ...thirdPartyRoutes];
