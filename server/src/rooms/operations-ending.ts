/** How operators end a room: what that would do, and the jobs that do it. */
import { z } from "zod";
import { operation, type Operation, reasonSchema } from "../console/operation.ts";
import { aliasesOf } from "../directory/aliases.ts";
import { isPublished } from "../directory/visibility.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { isHeld } from "../retention/holds.ts";
import { createJob } from "../worker/jobs.ts";
import { block, readBlocked } from "./blocked.ts";
import { countRoom } from "./for-operators.ts";
import { roomFor } from "./operations.ts";

const effect = z.object({
  members: z.int().meta({ description: "Who would leave." }),
  invited: z.int(),
  events: z.int().meta({ description: "What a purge would take away." }),
  messages: z.int(),
  receipts: z.int(),
  aliases: z.int(),
  published: z.boolean(),
  blocked: z.boolean(),
  held: z.boolean().meta({ description: "A legal hold keeps the room: it can not be purged." }),
});

const readEffect = operation({
  id: "rooms.effect",
  method: "GET",
  path: "/rooms/:roomId/effect",
  summary: "Counts what shutting a room down, and purging it, would do",
  role: "auditor",
  answer: effect,
  command: { name: "room effect", arguments: ["roomId"] },
  async handle({ params: { roomId } }, ctx) {
    const room = await roomFor(ctx, roomId);
    const counts = await countRoom(ctx, roomId);
    return {
      ...counts,
      members: room.joinedCount,
      invited: room.invitedCount,
      aliases: (await aliasesOf(ctx, roomId)).length,
      published: await isPublished(ctx, roomId),
      blocked: (await readBlocked(ctx, [roomId])).has(roomId),
      held: await isHeld(ctx, roomId),
    };
  },
});

async function refuseHeld(ctx: Context, roomId: string): Promise<void> {
  if (await isHeld(ctx, roomId)) throw matrixError("M_FORBIDDEN", "A legal hold keeps this room: release it first.");
}

const made = z.object({ job_id: z.int() });

const shutdown = operation({
  id: "rooms.shutdown",
  method: "POST",
  path: "/rooms/:roomId/shutdown",
  summary: "Shuts a room down: everybody leaves, its aliases go, and it is blocked or purged where that is asked for",
  description: "A job. `message` is told to those who leave, as the reason of their leaving.",
  role: "operator",
  body: z.object({
    reason: reasonSchema,
    message: z.string().trim().max(500).optional(),
    block: z.boolean().default(true),
    purge: z.boolean().default(false),
  }),
  answer: made,
  command: { name: "room shutdown", arguments: ["roomId"] },
  async handle({ params: { roomId }, body, actor, audit }, ctx) {
    const room = await roomFor(ctx, roomId);
    if (body.purge) await refuseHeld(ctx, roomId);
    if (body.block) await block(ctx, { roomId, by: actor.userId, reason: body.reason });
    const job_id = await createJob(ctx, {
      kind: "room.shutdown",
      target: roomId,
      parameters: { roomId, purge: body.purge, ...(body.message ? { message: body.message } : {}) },
      createdBy: actor.userId,
      uniqueKey: `room ${roomId}`,
    });
    audit({ before: { members: room.joinedCount }, after: { job_id, block: body.block, purge: body.purge } });
    return { job_id };
  },
});

const purge = operation({
  id: "rooms.purge",
  method: "POST",
  path: "/rooms/:roomId/purge",
  summary: "Takes all that was said and set in a room, which nobody is in, out of the database",
  description: "A job. There is no way back but a backup. `confirm` is the room's id once more.",
  role: "operator",
  body: z.object({ reason: reasonSchema, confirm: z.string().meta({ description: "The room's id." }) }),
  answer: made,
  command: { name: "room purge", arguments: ["roomId"] },
  async handle({ params: { roomId }, body, actor, audit }, ctx) {
    const room = await roomFor(ctx, roomId);
    if (body.confirm !== roomId) throw matrixError("M_INVALID_PARAM", `"confirm" must be the room's id.`);
    if (room.joinedCount > 0 || room.invitedCount > 0)
      throw matrixError("M_INVALID_PARAM", "Somebody is in the room, or invited to it. Shut it down first.", {
        status: 409,
      });
    await refuseHeld(ctx, roomId);
    const { events } = await countRoom(ctx, roomId);
    const job_id = await createJob(ctx, {
      kind: "room.purge",
      target: roomId,
      parameters: { roomId },
      createdBy: actor.userId,
      uniqueKey: `room ${roomId}`,
    });
    audit({ before: { events }, after: { job_id } });
    return { job_id };
  },
});

export const roomEndingOperations: readonly Operation[] = [readEffect, shutdown, purge];
