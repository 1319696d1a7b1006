/** What operators do to rooms that stay. */
import { z } from "zod";
import { operation, type Operation, reasonSchema } from "../console/operation.ts";
import { isPublished, withdraw } from "../directory/visibility.ts";
import { matrixError } from "../errors.ts";
import { archiveRoom, makeRoomAdmin } from "./acting.ts";
import { block, unblock } from "./blocked.ts";
import { roomFor } from "./operations.ts";
import { isRoomId, isUserId } from "./rules/identifiers.ts";
import { levelsOf, powerOf } from "./rules/power.ts";

const withReason = z.object({ reason: reasonSchema });
const nothing = z.object({});

const makeAdmin = operation({
  id: "rooms.make_admin",
  method: "POST",
  path: "/rooms/:roomId/administrators",
  summary: "Gives somebody the power of an administrator of a room",
  description:
    "A member who has the power acts, and the room's history says so. Where no member has it nobody can. An operator may name themselves: the audit log says so (`to_self`).",
  role: "operator",
  body: withReason.extend({ user_id: z.string().refine(isUserId, "must be a user id") }),
  answer: z.object({ acted_as: z.string(), invited: z.boolean() }),
  command: { name: "room make-admin", arguments: ["roomId", "user_id"] },
  async handle({ params: { roomId }, body, actor, audit }, ctx) {
    const room = await roomFor(ctx, roomId);
    const before = powerOf(room, body.user_id);
    const { actedAs, invited } = await makeRoomAdmin(ctx, roomId, body.user_id);
    const { user_id } = body;
    const to_self = user_id === actor.userId;
    audit({ before: { power: before }, after: { user_id, to_self, power: 100, acted_as: actedAs, invited } });
    return { acted_as: actedAs, invited };
  },
});

const blockRoom = operation({
  id: "rooms.block",
  method: "POST",
  path: "/rooms/:roomId/block",
  summary: "Blocks a room: nobody joins it, knocks on it or is invited to it; who is in it stays",
  description: "The room need not be known here: then it is blocked before anybody makes it known.",
  role: "operator",
  body: withReason,
  answer: nothing,
  command: { name: "room block", arguments: ["roomId"] },
  async handle({ params: { roomId }, body, actor, audit }, ctx) {
    if (!isRoomId(roomId)) throw matrixError("M_INVALID_PARAM", `"${roomId}" is not a room id.`);
    const isNew = await block(ctx, { roomId, by: actor.userId, reason: body.reason });
    audit({ before: { blocked: !isNew }, after: { blocked: true } });
    return {};
  },
});

const unblockRoom = operation({
  id: "rooms.unblock",
  method: "DELETE",
  path: "/rooms/:roomId/block",
  summary: "Lets people into a blocked room again",
  role: "operator",
  answer: nothing,
  command: { name: "room unblock", arguments: ["roomId"] },
  async handle({ params: { roomId }, audit }, ctx) {
    const was = await unblock(ctx, roomId);
    audit({ before: { blocked: was }, after: { blocked: false } });
    return {};
  },
});

const archive = operation({
  id: "rooms.archive",
  method: "POST",
  path: "/rooms/:roomId/archive",
  summary: "Makes a room read only, by its power levels; its administrators can change it back",
  role: "operator",
  body: withReason,
  answer: z.object({ acted_as: z.string(), level: z.number() }),
  command: { name: "room archive", arguments: ["roomId"] },
  async handle({ params: { roomId }, audit }, ctx) {
    const before = levelsOf(await roomFor(ctx, roomId));
    const { actedAs, level } = await archiveRoom(ctx, roomId);
    audit({
      before: { events_default: before["events_default"] ?? 0 },
      after: { events_default: level, acted_as: actedAs },
    });
    return { acted_as: actedAs, level };
  },
});

const unpublish = operation({
  id: "rooms.unpublish",
  method: "DELETE",
  path: "/rooms/:roomId/publication",
  summary: "Takes a room out of the public directory",
  role: "operator",
  answer: nothing,
  command: { name: "room unpublish", arguments: ["roomId"] },
  async handle({ params: { roomId }, audit }, ctx) {
    const before = await isPublished(ctx, roomId);
    await withdraw(ctx, roomId);
    audit({ before: { published: before }, after: { published: false } });
    return {};
  },
});

export const roomActs: readonly Operation[] = [makeAdmin, blockRoom, unblockRoom, archive, unpublish];
