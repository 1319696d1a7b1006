/** Where accounts come from, for operators. */
import { ownersOfBots } from "../bots/queries.ts";
import type { Context } from "../context.ts";
import { localpartOf } from "../rooms/rules/identifiers.ts";

/**
 * `scim`: a directory made it or took it over. `sso`: a provider lets the person in, and there is no password. `service`: an
 * application service's, or the server's own.
 */
export const accountSources = ["local", "sso", "scim", "bot", "service"] as const;
export type AccountSource = (typeof accountSources)[number];

/** Of these accounts. */
export async function sourcesOf(
  ctx: Context,
  accounts: readonly { userId: string; hasPassword: boolean }[],
): Promise<Map<string, AccountSource>> {
  const userIds = accounts.map(({ userId }) => userId);
  const [known, bots] = await Promise.all([
    ctx.db.auth.query<{ userId: string; isProvisioned: boolean }>(
      `select user_id as "userId", true as "isProvisioned" from auth.scim_people where user_id = any ($1)
       union all select distinct user_id, false from auth.external_ids where user_id = any ($1)`,
      [userIds],
    ),
    ownersOfBots(ctx, userIds),
  ]);
  const provisioned = new Set(known.filter((each) => each.isProvisioned).map(({ userId }) => userId));
  const external = new Set(known.map(({ userId }) => userId));
  const services = ctx.services.all();
  const sourceOf = (userId: string, hasPassword: boolean): AccountSource => {
    if (bots.has(userId)) return "bot";
    if (localpartOf(userId).startsWith("_") || services.some((each) => each.user(userId) === "exclusive"))
      return "service";
    if (provisioned.has(userId)) return "scim";
    return external.has(userId) && !hasPassword ? "sso" : "local";
  };
  return new Map(accounts.map(({ userId, hasPassword }) => [userId, sourceOf(userId, hasPassword)]));
}
