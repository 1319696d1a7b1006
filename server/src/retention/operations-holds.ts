/** Legal holds: placed and released by operators, each with its reason. */
import { z } from "zod";
import { operation, type Operation, pageOf, reasonSchema } from "../console/operation.ts";
import { matrixError } from "../errors.ts";
import { isRoomId, isUserId } from "../rooms/rules/identifiers.ts";
import { listHolds, placeHold, releaseHold } from "./holds.ts";

const hold = z.object({
  hold_id: z.int(),
  room_id: z.string().nullable(),
  user_id: z.string().nullable(),
  reason: z.string(),
  placed_ts: z.int(),
  placed_by: z.string(),
  released_ts: z.int().nullable(),
  released_by: z.string().nullable(),
});

const list = operation({
  id: "holds.list",
  method: "GET",
  path: "/retention/holds",
  summary: "Lists legal holds, the newest first",
  role: "auditor",
  query: z.object({ released: z.enum(["true", "false"]).default("false") }),
  answer: pageOf(hold),
  command: { name: "hold list" },
  handle: async ({ query }, ctx) => ({ items: await listHolds(ctx, { released: query.released === "true" }) }),
});

const place = operation({
  id: "holds.place",
  method: "POST",
  path: "/retention/holds",
  summary: "Keeps a room, or whatever a person wrote and uploaded, from being deleted",
  description: "By retention, by a purge and with media. It does not keep people from redacting what they wrote.",
  role: "operator",
  body: z.object({
    room_id: z.string().refine(isRoomId, "must be a room id").optional(),
    user_id: z.string().refine(isUserId, "must be a user id").optional(),
    reason: reasonSchema,
  }),
  answer: hold,
  target: ({ body }) => body.room_id ?? body.user_id,
  command: { name: "hold place" },
  async handle({ body, actor, audit }, ctx) {
    if ((body.room_id === undefined) === (body.user_id === undefined))
      throw matrixError("M_INVALID_PARAM", `Name either a room ("room_id") or a person ("user_id").`);
    const placed = await placeHold(ctx, {
      roomId: body.room_id,
      userId: body.user_id,
      reason: body.reason,
      by: actor.userId,
    });
    audit({ after: { hold_id: placed.hold_id } });
    return placed;
  },
});

const release = operation({
  id: "holds.release",
  method: "POST",
  path: "/retention/holds/:holdId/release",
  summary: "Ends a legal hold: what is over its time goes with the next run",
  role: "owner",
  body: z.object({ reason: reasonSchema }),
  answer: hold,
  command: { name: "hold release", arguments: ["holdId"] },
  async handle({ params: { holdId }, actor, audit }, ctx) {
    const released = /^\d{1,15}$/.test(holdId) ? await releaseHold(ctx, Number(holdId), actor.userId) : undefined;
    if (!released) throw matrixError("M_NOT_FOUND", `There is no legal hold ${holdId} in force.`);
    audit({ target: released.room_id ?? released.user_id ?? holdId, before: { hold_id: released.hold_id } });
    return released;
  },
});

export const holdOperations: readonly Operation[] = [list, place, release];
