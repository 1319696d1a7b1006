/** The one-time link that makes the first administrator. */
import type { Context } from "../context.ts";

export function administratorLink(_ctx: Context): Promise<string | undefined> {
  return Promise.resolve(undefined);
}
