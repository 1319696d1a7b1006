/** The paths of the search domain, and what it does in the background. */
import type { Context } from "../context.ts";
import type { Route } from "../http.ts";
import { followEvents } from "./freshness.ts";
import { search } from "./search.ts";

export const routes: readonly Route[] = [search];

/** Follows the log, for what a search waits for; what ends with the log needs no end of its own. */
export function start(ctx: Context): Promise<() => Promise<void>> {
  followEvents(ctx);
  return Promise.resolve(() => Promise.resolve());
}
