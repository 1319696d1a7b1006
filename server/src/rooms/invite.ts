/** `POST /rooms/{roomId}/invite`. Specification: client-server-api, "Joining rooms" and "Invite permission". */
import { z } from "zod";
import { profileOf } from "../account/profile.ts";
import { makeUser } from "../appservice/ask.ts";
import { accountExists, isActive } from "../auth/queries.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import { readAccountDataItem } from "../log/queries.ts";
import { validate } from "../validate.ts";
import { refuseBlocked } from "./blocked.ts";
import { currentMember, memberContent, memberProposal, targetBody } from "./member-body.ts";
import { serverNameOf } from "./rules/identifiers.ts";
import { requireAllowed, submit } from "./submit.ts";

export const invite = route({
  method: "POST",
  path: "/_matrix/client/v3/rooms/:roomId/invite",
  access: "session",
  rate: "invite",
  body: z.looseObject({}),
  async handle({ params, session: { userId }, body: asked }, ctx) {
    if (asked["user_id"] === undefined && asked["medium"] !== undefined)
      throw matrixError("M_THREEPID_DENIED", "This server does not send invitations through an identity server.");
    const body = validate(targetBody, asked, "body");
    const invitee = body.user_id;
    const profile = await profileOf(ctx, invitee);
    const content = memberContent("invite", { ...profile, reason: body.reason });
    const proposal = memberProposal(userId, invitee, content);
    await submit(ctx, {
      roomId: params["roomId"] as string,
      async propose(room) {
        requireAllowed(room, proposal);
        await refuseBlocked(ctx, room.roomId);
        await requireInvitable(ctx, invitee);
        return room.membership(invitee) === "invite" ? currentMember(room, invitee) : proposal;
      },
    });
    return {};
  },
});

/** Throws unless the person can be invited: they have an account on this server, and have not blocked invitations. */
export async function requireInvitable(ctx: Context, userId: string): Promise<void> {
  if (serverNameOf(userId) !== ctx.config.serverName)
    throw matrixError("M_FORBIDDEN", `${userId} is of another server, and this server does not talk to others.`);
  if (!(await isActive(ctx, userId)) && !(await appears(ctx, userId)))
    throw matrixError("M_NOT_FOUND", `There is no ${userId} on this server.`);
  if (await blocksInvites(ctx, userId)) throw matrixError("M_INVITE_BLOCKED", `${userId} does not take invitations.`);
}

/** Whether an application service makes the user, now that they are asked for. One that was deactivated does not come back. */
async function appears(ctx: Context, userId: string): Promise<boolean> {
  return !(await accountExists(ctx, userId)) && (await makeUser(ctx, userId)) && isActive(ctx, userId);
}

/** Whether the person takes no invitations now. Specification: "Invite permission". */
export async function blocksInvites(ctx: Context, userId: string): Promise<boolean> {
  const config = await readAccountDataItem(ctx.db.log, { userId, roomId: "", type: "m.invite_permission_config" });
  return config !== undefined && (JSON.parse(config) as { default_action?: unknown }).default_action === "block";
}
