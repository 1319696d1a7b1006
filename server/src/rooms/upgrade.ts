/**
 * `POST /rooms/{roomId}/upgrade`: a room of another version takes the place of this one. The new room, the tombstone and the
 * end of talking in the old room are one append: there is never a replacement without a tombstone, nor two for one.
 * Specification: client-server-api, "Room Upgrades".
 */
import { z } from "zod";
import type { Context } from "../context.ts";
import { moveAliases } from "../directory/aliases.ts";
import { replacePublished } from "../directory/visibility.ts";
import { matrixError } from "../errors.ts";
import { route } from "../http.ts";
import type { NewEntry, Submission } from "../log/entry.ts";
import { randomToken } from "../seams.ts";
import { profileOf } from "../account/profile.ts";
import { carryOver } from "./carry-over.ts";
import { entriesOf } from "./create.ts";
import { authorise } from "./rules/authorise.ts";
import { planRoom, type RoomPlan } from "./rules/create.ts";
import { isUserId } from "./rules/identifiers.ts";
import { roomVersion } from "./rules/versions.ts";
import type { RoomState } from "./state.ts";
import { entryFor, membersOf, newEventId, type Proposal, requireAllowed, submitTo } from "./submit.ts";
import { mutedLevels, type Replacement, replacementRequest } from "./upgrade-plan.ts";

const upgradeBody = z.looseObject({
  new_version: z.string(),
  additional_creators: z.array(z.string().refine(isUserId, "must be a user id")).optional(),
});

export const upgrade = route({
  method: "POST",
  path: "/_matrix/client/v3/rooms/:roomId/upgrade",
  access: "session",
  rate: "create",
  body: upgradeBody,
  async handle({ params, session: { userId }, body }, ctx) {
    const version = roomVersion(body.new_version);
    if (!version) throw matrixError("M_UNSUPPORTED_ROOM_VERSION", "This server does not support that room version.");
    const wish = { userId, version: version.id, additionalCreators: body.additional_creators ?? [] };
    const roomId = params["roomId"] as string;
    let replacement = "";
    await submitTo(ctx, {
      roomId,
      async prepare(room) {
        const { plan, submission } = await prepareUpgrade(ctx, room, wish);
        replacement = plan.room_id;
        return submission;
      },
    });
    await moveAliases(ctx, roomId, replacement);
    await replacePublished(ctx, roomId, replacement);
    await carryOver(ctx, { userId, from: roomId, to: replacement });
    return { replacement_room: replacement };
  },
});

type Wish = Omit<Replacement, "tombstoneId">;

async function prepareUpgrade(
  ctx: Context,
  room: RoomState,
  wish: Wish,
): Promise<{ plan: RoomPlan; submission: Submission }> {
  const tombstoneId = newEventId(ctx);
  // Nothing of the room may show to somebody who could not upgrade it, so the rules come first.
  requireAllowed(room, tombstone({ ...wish, tombstoneId }, ""));
  const plan = planRoom(replacementRequest(room, { ...wish, tombstoneId }), {
    creator: wish.userId,
    serverName: ctx.config.serverName,
    now_ms: ctx.seams.now_ms(),
    newEventId: () => newEventId(ctx),
    newRoomLocalpart: () => randomToken(ctx.seams, 18),
    profiles: new Map([[wish.userId, await profileOf(ctx, wish.userId)]]),
  });
  const proposal = tombstone({ ...wish, tombstoneId }, plan.room_id);
  const submission = {
    lane: room.roomId,
    room: { id: room.roomId, version: room.version },
    members: membersOf(room, proposal),
    entries: [
      ...entriesOf(plan.events),
      entryFor(ctx, room, proposal),
      ...namelessness(ctx, room, wish.userId),
      ...silence(ctx, room, wish.userId),
    ],
  };
  return { plan, submission };
}

function tombstone({ userId, tombstoneId }: Replacement, replacement: string): Proposal {
  const content = { body: "This room has been replaced", replacement_room: replacement };
  return { event_id: tombstoneId, sender: userId, type: "m.room.tombstone", state_key: "", content };
}

/** The old room calls itself by no alias any more: they lead to the new one. */
function namelessness(ctx: Context, room: RoomState, sender: string): NewEntry[] {
  const current = room.get("m.room.canonical_alias");
  if (!current || Object.keys(current.content).length === 0) return [];
  return whereAllowed(ctx, room, { sender, type: "m.room.canonical_alias", state_key: "", content: {} });
}

/** Power levels under which nobody talks in the old room by mistake, when the person may set them. */
function silence(ctx: Context, room: RoomState, sender: string): NewEntry[] {
  return whereAllowed(ctx, room, {
    sender,
    type: "m.room.power_levels",
    state_key: "",
    content: mutedLevels(room),
  });
}

function whereAllowed(ctx: Context, room: RoomState, proposal: Proposal): NewEntry[] {
  const isAllowed = authorise(room, { ...proposal, room_id: room.roomId }).allowed;
  return isAllowed ? [entryFor(ctx, room, proposal)] : [];
}
