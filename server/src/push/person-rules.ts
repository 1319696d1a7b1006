/** What each person's push rules say of events: their rules ready to run, kept while they stand, and silent about whom they ignore. */
import type { Context } from "../context.ts";
import { ignoredUsersIn } from "../account/ignored-users.ts";
import { limits } from "../limits.ts";
import type { LogEntry } from "../log/entry.ts";
import { type Followed, followLog } from "../log/follow.ts";
import { readAccountDataOf } from "../log/queries.ts";
import { openLookup } from "../lookups.ts";
import { type CompiledRuleset, compileRuleset, silence } from "./rules/evaluate.ts";
import { storedChanges } from "./stored-rules.ts";

const RULES = "m.push_rules";
const IGNORED = "m.ignored_user_list";
const opened = new WeakMap<Context, Followed<CompiledRuleset>>();

/** By user id. */
export function personRules(ctx: Context): Followed<CompiledRuleset> {
  const known = opened.get(ctx);
  if (known) return known;
  const look = (type: string) =>
    openLookup({
      most: limits.lookup_keys,
      ask: (userIds: readonly string[]) => readAccountDataOf(ctx.db.log, type, userIds),
    });
  const [rules, ignored] = [look(RULES), look(IGNORED)];
  const followed = followLog<CompiledRuleset>(ctx.log.hub, {
    max: limits.userCache_users,
    changes: (entry) => (changesRules(entry) ? (entry.userId ?? undefined) : undefined),
    load: async (userId) => compile(userId, await rules(userId), ignoredUsersIn(await ignored(userId))),
  });
  opened.set(ctx, followed);
  return followed;
}

/** Whether the entry changes what its user is notified of. */
export function changesRules(entry: LogEntry): boolean {
  return entry.kind === "account_data" && (entry.type === RULES || entry.type === IGNORED);
}

/** Specification: client-server-api, "Ignoring Users": what they send, state aside, is as if it had not been sent. */
function compile(userId: string, stored: string | undefined, ignored: ReadonlySet<string>): CompiledRuleset {
  const rules = compileRuleset(storedChanges(stored), userId);
  return ignored.size === 0 ? rules : (event) => (ignored.has(event.raw.sender) ? silence : rules(event));
}
