/** Which files people's profiles point to. */
import type { Context } from "../context.ts";
import type { Profile } from "./profile.ts";

/** The avatars of the next profiles behind this person, in the order of user ids; '' where there is none. */
export async function avatarsBehind(
  ctx: Context,
  after: string,
  limit: number,
): Promise<{ userId: string; url: string }[]> {
  const rows = await ctx.db.account.query<{ userId: string; profile: string }>(
    `select user_id as "userId", profile from account.profiles where user_id > $1 order by user_id limit $2`,
    [after, limit],
  );
  return rows.map(({ userId, profile }) => {
    const { avatar_url: url } = JSON.parse(profile) as Profile;
    return { userId, url: typeof url === "string" ? url : "" };
  });
}
