/** What becomes of saved connections when their owner may not use the explorer any more: nobody else could, so they are not kept. */
import type { Context } from "../context.ts";
import { asError } from "../errors.ts";
import { explorerOf } from "./open.ts";

/**
 * Removes all of one person's, with their sealed passwords. Gives how many. A store that can not be written does not keep a role from
 * being taken: what stays there opens for nobody without one, and the process's log says that it stays.
 */
export async function forgetConnections(ctx: Context, owner: string): Promise<number> {
  const { store, pools } = explorerOf(ctx);
  try {
    const saved = await store.list(owner);
    for (const { id } of saved) {
      await store.remove(owner, id);
      pools.drop({ owner, id });
    }
    return saved.length;
  } catch (thrown) {
    ctx.logger.error({ err: asError(thrown), owner }, "saved connections of somebody who is no operator any more stay");
    return 0;
  }
}
