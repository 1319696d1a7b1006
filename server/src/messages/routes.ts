/** The paths of the messages domain. */
import type { Route } from "../http.ts";
import { redact } from "./redact.ts";
import { send } from "./send.ts";

export const routes: readonly Route[] = [send, redact];
