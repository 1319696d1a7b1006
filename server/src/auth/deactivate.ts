/** The end of an account. Specification: client-server-api, "POST /account/deactivate". */
import { z } from "zod";
import { eraseOwn } from "../account/for-export.ts";
import { changeProfile, profileOf } from "../account/profile.ts";
import type { Context } from "../context.ts";
import { unlistPerson } from "../directory/people.ts";
import { route } from "../http.ts";
import { forgetUser } from "../keys/forget.ts";
import { isOpened } from "../legal/access.ts";
import { eraseNotes } from "../messages/for-export.ts";
import { openHolds } from "../retention/holds.ts";
import { leaveAllRooms } from "../rooms/membership.ts";
import { removeAddresses } from "./email/addresses.ts";
import { afterEnding, type Ended, ENDED_COLUMNS } from "./end-sessions.ts";
import { removeFactors } from "./factors/second-factor.ts";
import { interactive } from "./interactive.ts";
import { auth } from "./shapes.ts";

export const deactivate = route({
  method: "POST",
  path: "/_matrix/client/v3/account/deactivate",
  access: "session",
  rate: "other",
  body: z.looseObject({ auth: auth.optional(), erase: z.boolean().default(false) }),
  async handle(request, ctx) {
    await interactive(ctx, request, { flows: [["m.login.password"]] });
    await deactivateAccount(ctx, request.session.userId, request.body.erase);
    // No identity server was ever told of an address, so none is left bound.
    return { id_server_unbind_result: "success" };
  },
});

/**
 * Ends the account of somebody who asked for it, or of whom operators decided it. With `erase` newcomers do not see what they wrote, and
 * what is no event goes: profile, account data, filters, receipts; but for whom a legal hold or legal access keeps.
 */
export async function deactivateAccount(ctx: Context, userId: string, erase: boolean): Promise<void> {
  const erasesRest = erase && !(await isKept(ctx, userId));
  // Out of the rooms too, before they are left: what is left of a membership repeats what it was.
  if (erasesRest)
    for (const field of Object.keys(await profileOf(ctx, userId)))
      await changeProfile(ctx, userId, { field, value: undefined });
  // The rooms go before the account: when this is cut in the middle, the person can still sign in and do it again.
  await leaveAllRooms(ctx, userId);
  // Before the end, since nobody can ask again after it: an address of an account that is gone would be nobody's for ever.
  await removeAddresses(ctx, userId);
  await removeFactors(ctx, userId);
  if (erasesRest) await eraseRest(ctx, userId);
  const row = await ctx.db.auth.one<Ended>(`select ${ENDED_COLUMNS} from auth.deactivate($1, $2)`, [userId, erase]);
  await afterEnding(ctx, userId, row);
  await forgetUser(ctx, userId);
  await unlistPerson(ctx, userId);
}

async function isKept(ctx: Context, userId: string): Promise<boolean> {
  return (await openHolds(ctx)).users.includes(userId) || (await isOpened(ctx, userId));
}

async function eraseRest(ctx: Context, userId: string): Promise<void> {
  while (await eraseNotes(ctx, userId));
  await eraseOwn(ctx, userId);
}
