/** Whom people ignore. Specification: client-server-api, "Ignoring Users". */
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { type Followed, followLog } from "../log/follow.ts";
import { readAccountDataOf } from "../log/queries.ts";
import { openLookup } from "../lookups.ts";

const TYPE = "m.ignored_user_list";
const ignored = new WeakMap<Context, Followed<ReadonlySet<string>>>();

function openIgnored(ctx: Context): Followed<ReadonlySet<string>> {
  const look = openLookup({
    most: limits.lookup_keys,
    ask: (userIds: readonly string[]) => readAccountDataOf(ctx.db.log, TYPE, userIds),
  });
  const followed = followLog<ReadonlySet<string>>(ctx.log.hub, {
    max: limits.userCache_users,
    changes: (entry) =>
      entry.kind === "account_data" && entry.type === TYPE ? (entry.userId ?? undefined) : undefined,
    load: async (userId) => ignoredUsersIn(await look(userId)),
  });
  ignored.set(ctx, followed);
  return followed;
}

/** Whom the stored list names; undefined where there is none. */
export function ignoredUsersIn(stored: string | undefined): ReadonlySet<string> {
  const list = stored === undefined ? {} : (JSON.parse(stored) as { ignored_users?: unknown }).ignored_users;
  return new Set(typeof list === "object" && list !== null ? Object.keys(list) : []);
}

/** Whom the person ignores. */
export function ignoredUsersOf(ctx: Context, userId: string): Promise<ReadonlySet<string>> {
  return (ignored.get(ctx) ?? openIgnored(ctx)).get(userId);
}
