/** Account data in a sync. Specification: client-server-api, "Client config", and push module for m.push_rules. */
import { LRUCache } from "lru-cache";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { readAccountDataItem } from "../log/queries.ts";
import { pushRulesContent } from "../push/stored-rules.ts";
import type { Run } from "./run.ts";

/** The global account data that changed, newest content first come. */
export function globalAccountData({ news, ask, since }: Run): string[] {
  const newest = new Map<string, string>();
  for (const entry of news.own)
    if (entry.kind === "account_data" && entry.roomId === null) newest.set(entry.type as string, entry.body);
  // Everybody has push rules, also those who never changed any.
  const stored = newest.get("m.push_rules");
  if (stored !== undefined || since === 0) newest.set("m.push_rules", pushRulesContent(stored, ask.session.userId));
  const { matches } = ask.filter.accountData;
  return [...newest]
    .filter(([type]) => matches?.({ type }) ?? true)
    .map(([type, content]) => `{"type":${JSON.stringify(type)},"content":${content}}`);
}

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

/** Whom the person ignores. Specification: "Ignoring Users". */
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
