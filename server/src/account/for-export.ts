/** What this domain has of a person: see person/section.ts. */
import type { Context } from "../context.ts";
import { type Section, sectionOf } from "../person/section.ts";

export const sections: readonly Section[] = [
  sectionOf({
    name: "profile",
    about: "The profile: display name, picture and further fields.",
    schema: "account",
    key: "user_id",
    record: "profile::json",
    from: "account.profiles where user_id = $1",
  }),
  sectionOf({
    name: "filters",
    about: "Filters that the person's clients have stored.",
    schema: "account",
    key: "lpad(filter_id::text, 19, '0')",
    record: "json_build_object('filter_id', filter_id::text, 'filter', definition::json)",
    from: "account.filters where user_id = $1",
  }),
];

/** Removes the profile and the filters. */
export async function eraseOwn(ctx: Context, userId: string): Promise<void> {
  await ctx.db.account.change("delete from account.profiles where user_id = $1", [userId]);
  await ctx.db.account.change("delete from account.filters where user_id = $1", [userId]);
}
