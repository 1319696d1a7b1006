/** What directories have said of a person: see person/section.ts. */
import type { Context } from "../context.ts";
import { type Section, sectionOf, ts } from "../person/section.ts";
import { idOf } from "./people.ts";

export const sections: readonly Section[] = [
  sectionOf({
    name: "provisioned",
    about: "What the directory of a company has said of the person, which made the account or took it over.",
    schema: "auth",
    key: "user_id",
    record: `json_build_object('user_name', user_name, 'external_id', external_id, 'described', described::json, 'said_by', said_by,
      'created_ts', ${ts("created_at")}, 'changed_ts', ${ts("changed_at")}, 'removed_ts', ${ts("removed_at")})`,
    from: "auth.scim_people where user_id = $1",
  }),
];

/** Of somebody who is erased: also what was refused of them. */
export async function eraseProvisioned(ctx: Context, userId: string): Promise<void> {
  await ctx.db.auth.change("delete from auth.scim_people where user_id = $1", [userId]);
  await ctx.db.auth.change("delete from auth.scim_errors where strpos(path, $1) > 0 or strpos(detail, $2) > 0", [
    idOf(userId),
    userId,
  ]);
}
