/** The paths of the auth domain. */
import type { Route } from "../http.ts";
import { login, loginFlows } from "./login.ts";
import { register, registerAvailable } from "./register.ts";
import { registrationTokenValidity } from "./registration-tokens.ts";

export const routes: readonly Route[] = [register, registerAvailable, registrationTokenValidity, loginFlows, login];
