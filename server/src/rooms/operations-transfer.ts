/** What operators do with the rooms of somebody who leaves: count what a transfer would do, and hand them on. */
import { z } from "zod";
import { operation, type Operation, reasonSchema } from "../console/operation.ts";
import { mayActOn } from "../console/users/may.ts";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { createJob } from "../worker/jobs.ts";
import { isUserId } from "./rules/identifiers.ts";
import { outlookOf, requireLeaver, requireSuccessor, roomsOf, type Transfer } from "./transfer.ts";

const successor = z.string().refine(isUserId, "must be a user id").meta({ description: "The successor's user id." });

const effect = z.object({
  rooms: z.int().meta({
    description: "Those in which the person has the power of an administrator, but for direct and replaced ones.",
  }),
  sole: z.int().meta({ description: "Of these, those in which nobody else who is in it has it." }),
  direct: z.int().meta({ description: "Conversations of two people: they are left alone, and not among the rooms." }),
  replaced: z
    .int()
    .meta({ description: "Rooms that an upgrade has replaced: they are left alone, and not among the rooms." }),
  already: z.int().meta({ description: "Where the successor has the power, and is in the room or invited to it." }),
  change: z.int().meta({ description: "Where the successor would be given the power, or be invited." }),
  invite: z.int().meta({ description: "Of these, those to which the successor would be invited." }),
  refused: z.int().meta({ description: "Those that can not be changed." }),
  refused_rooms: z
    .array(z.object({ room_id: z.string(), why: z.string() }))
    .meta({ description: `The first ${limits.transferNamed_rooms} of them, and why.` }),
  to_self: z.boolean().meta({ description: "Whether the successor is the operator who asks." }),
  is_complete: z
    .boolean()
    .meta({ description: `Whether all rooms of the person were counted: at most ${limits.transferCount_rooms} are.` }),
});
type Effect = z.output<typeof effect>;

async function countEffect(ctx: Context, asked: Transfer & { by: string }): Promise<Effect> {
  const all = await roomsOf(ctx, asked.userId);
  const counted: Effect = {
    rooms: 0,
    sole: 0,
    direct: 0,
    replaced: 0,
    already: 0,
    change: 0,
    invite: 0,
    refused: 0,
    refused_rooms: [],
    to_self: asked.to === asked.by,
    is_complete: all.length <= limits.transferCount_rooms,
  };
  for (const roomId of all.slice(0, limits.transferCount_rooms)) await countRoom(ctx, counted, { roomId, asked });
  return counted;
}

async function countRoom(
  ctx: Context,
  counted: Effect,
  { roomId, asked }: { roomId: string; asked: Transfer },
): Promise<void> {
  const room = await ctx.rooms.find(roomId);
  const outlook = room && (await outlookOf(ctx, room, asked));
  if (!outlook || outlook.is === "none") return;
  if (outlook.is === "direct" || outlook.is === "replaced") return void counted[outlook.is]++;
  counted.rooms++;
  if (outlook.isSole) counted.sole++;
  if (outlook.is === "already") counted.already++;
  if (outlook.is === "change") {
    counted.change++;
    if (outlook.invites) counted.invite++;
  }
  if (outlook.is !== "refused") return;
  counted.refused++;
  if (counted.refused_rooms.length < limits.transferNamed_rooms)
    counted.refused_rooms.push({ room_id: roomId, why: outlook.why });
}

const readEffect = operation({
  id: "users.transfer_effect",
  method: "GET",
  path: "/users/:userId/transfer",
  summary: "Counts what a transfer of a person's rooms to a successor would do",
  description: "Without `to`, what the person has: nothing is said of a successor then.",
  role: "auditor",
  query: z.object({
    to: successor.optional(),
    only_sole: z.enum(["true", "false"]).default("false").meta({ description: "As for `users.transfer`." }),
  }),
  answer: effect,
  command: { name: "user transfer-effect", arguments: ["userId"] },
  async handle({ params: { userId }, query: { to, only_sole }, actor }, ctx) {
    await requireLeaver(ctx, userId);
    if (to !== undefined) await requireSuccessor(ctx, { userId, to });
    return countEffect(ctx, { userId, to, onlySole: only_sole === "true", by: actor.userId });
  },
});

const transfer = operation({
  id: "users.transfer",
  method: "POST",
  path: "/users/:userId/transfer",
  summary: "Gives a successor the power of an administrator in the rooms in which a person has it",
  description: `A job. The successor is invited where they are not in the room. The person keeps their power, and does it in the history of
each room; where they may not, a member who may. Conversations of two people, and rooms that an upgrade has replaced, are left alone. It can be
done again. An operator may name themselves: \`to_self\` says that in the counts and in the audit log.`,
  role: "operator",
  isOneTransaction: true,
  body: z.object({
    to: successor,
    only_sole: z
      .boolean()
      .default(false)
      .meta({ description: "Leaves rooms alone in which somebody else who is in them has the power too." }),
    reason: reasonSchema,
  }),
  answer: z.object({ job_id: z.int() }),
  command: { name: "user transfer", arguments: ["userId", "to"] },
  async handle({ params: { userId }, body: { to, only_sole: onlySole }, actor, audit, transact }, ctx) {
    await mayActOn(ctx, actor, userId);
    await requireLeaver(ctx, userId);
    await requireSuccessor(ctx, { userId, to });
    const { rooms, sole, ...effect } = await countEffect(ctx, { userId, to, onlySole, by: actor.userId });
    const { change, invite, refused, to_self } = effect;
    const job_id = await transact(async (db) => {
      const job = { kind: "person.transfer", target: userId, parameters: { userId, to, onlySole } };
      const id = await createJob(ctx, { ...job, createdBy: actor.userId, uniqueKey: `transfer ${userId}` }, db);
      audit({
        before: { rooms, sole },
        after: { job_id: id, to, to_self, only_sole: onlySole, change, invite, refused },
      });
      return id;
    });
    return { job_id };
  },
});

export const transferOperations: readonly Operation[] = [readEffect, transfer];
