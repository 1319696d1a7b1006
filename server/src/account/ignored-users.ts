/** Whom people ignore. Specification: client-server-api, "Ignoring Users". */
import { LRUCache } from "lru-cache";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { readAccountDataItem } from "../log/queries.ts";

const ignored = new WeakMap<Context, LRUCache<string, ReadonlySet<string>>>();

function cacheOf(ctx: Context): LRUCache<string, ReadonlySet<string>> {
  const known = ignored.get(ctx);
  if (known) return known;
  const cache = new LRUCache<string, ReadonlySet<string>>({ max: limits.userCache_users });
  ctx.log.hub.listen((entries) => {
    for (const entry of entries)
      if (entry.kind === "account_data" && entry.type === "m.ignored_user_list") cache.delete(entry.userId as string);
  });
  ignored.set(ctx, cache);
  return cache;
}

/** Whom the person ignores. */
export async function ignoredUsersOf(ctx: Context, userId: string): Promise<ReadonlySet<string>> {
  const cache = cacheOf(ctx);
  const known = cache.get(userId);
  if (known) return known;
  const stored = await readAccountDataItem(ctx.db.log, { userId, roomId: "", type: "m.ignored_user_list" });
  const list = stored === undefined ? {} : ((JSON.parse(stored) as { ignored_users?: unknown }).ignored_users ?? {});
  const users = new Set(typeof list === "object" && list !== null ? Object.keys(list) : []);
  cache.set(userId, users);
  return users;
}
