/** Legal access: granted and ended by owners, used by whoever it names. Each step stands in the audit log with its case. */
import { z } from "zod";
import { readStanding } from "../auth/for-operators.ts";
import { operation, type Operation, pageOf, reasonSchema } from "../console/operation.ts";
import { readOperator } from "../console/operators.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { Answer } from "../http.ts";
import { limits } from "../limits.ts";
import { archiveHeaders, archiveOf } from "../person/exports.ts";
import { exported } from "../person/operations.ts";
import { roomFor } from "../rooms/operations.ts";
import { isRoomId, isUserId } from "../rooms/rules/identifiers.ts";
import { endAccess, grantAccess, heldAccess, listAccess, readAccess } from "./access.ts";
import { beginLegalExport, legalExports } from "./exports.ts";

const granted = z.object({
  access_id: z.int(),
  room_id: z.string().nullable(),
  user_id: z.string().nullable(),
  holder: z.string(),
  case_reference: z.string(),
  reason: z.string(),
  granted_ts: z.int(),
  granted_by: z.string(),
  ends_ts: z.int(),
  ended_ts: z.int().nullable(),
  ended_by: z.string().nullable(),
  in_force: z.boolean(),
});

const list = operation({
  id: "legal.list",
  method: "GET",
  path: "/legal/access",
  summary: "Lists legal access that is in force, or all that there ever was",
  role: "auditor",
  query: z.object({ ended: z.enum(["true", "false"]).default("false") }),
  answer: pageOf(granted),
  command: {
    name: "legal list",
    columns: ["access_id", "user_id", "room_id", "holder", "case_reference", "ends_ts", "in_force"],
  },
  handle: async ({ query }, ctx) => ({ items: await listAccess(ctx, { ended: query.ended === "true" }) }),
});

const grantBody = z.object({
  user_id: z.string().refine(isUserId, "must be a user id").optional(),
  room_id: z.string().refine(isRoomId, "must be a room id").optional(),
  holder: z.string().refine(isUserId, "must be a user id").meta({ description: "The operator who may export it." }),
  case_reference: z.string().trim().min(1).max(limits.legalCase_characters),
  ends_ts: z.int().meta({ description: "When it ends by itself (ms since 1970), 366 days from now at the most." }),
  reason: reasonSchema,
});

const grant = operation({
  id: "legal.grant",
  method: "POST",
  path: "/legal/access",
  summary: "Lets one operator export what the server has stored of a person or a room, for a case and until a day",
  description: `What is encrypted stays so: the server has no keys. The holder needs a role of an operator, of whichever kind, for as long as they use it.
It keeps nothing from being deleted: place a legal hold besides.`,
  role: "owner",
  isOneTransaction: true,
  body: grantBody,
  answer: granted,
  target: ({ body }) => body.room_id ?? body.user_id,
  command: { name: "legal grant" },
  async handle({ body, actor, audit, transact }, ctx) {
    await refuseUnfit(ctx, body);
    const { user_id: userId, room_id: roomId, holder, case_reference: caseReference, reason, ends_ts: ends_ms } = body;
    return transact(async (db) => {
      const access = await grantAccess(db, {
        userId,
        roomId,
        holder,
        caseReference,
        reason,
        ends_ms,
        by: actor.userId,
      });
      const { access_id, case_reference, ends_ts } = access;
      audit({ after: { access_id, holder, case_reference, ends_ts } });
      return access;
    });
  },
});

async function refuseUnfit(
  ctx: Context,
  { user_id, room_id, holder, ends_ts }: z.output<typeof grantBody>,
): Promise<void> {
  if ((room_id === undefined) === (user_id === undefined))
    throw matrixError("M_INVALID_PARAM", `Name either a room ("room_id") or a person ("user_id").`);
  const left_ms = ends_ts - ctx.seams.now_ms();
  if (left_ms <= 0 || left_ms > limits.legalAccess_ms)
    throw matrixError("M_INVALID_PARAM", `"ends_ts" has to be in the future, and 366 days from now at the most.`);
  if (room_id !== undefined) await roomFor(ctx, room_id);
  if (user_id !== undefined && !(await readStanding(ctx, user_id)))
    throw matrixError("M_NOT_FOUND", "There is no such account.");
  if (!(await readOperator(ctx, holder)))
    throw matrixError("M_INVALID_PARAM", `${holder} is no operator: give them a role first ("auditor" is enough).`);
}

const numberOf = (id: string) => (/^\d{1,15}$/.test(id) ? Number(id) : -1);

const end = operation({
  id: "legal.end",
  method: "POST",
  path: "/legal/access/:accessId/end",
  summary: "Ends a legal access before its time; nothing that was exported under it can be fetched any more",
  role: "owner",
  isOneTransaction: true,
  body: z.object({ reason: reasonSchema }),
  answer: granted,
  command: { name: "legal end", arguments: ["accessId"] },
  handle: ({ params: { accessId }, actor, audit, transact }) =>
    transact(async (db) => {
      const ended = await endAccess(db, numberOf(accessId), actor.userId);
      if (!ended) throw matrixError("M_NOT_FOUND", `There is no legal access ${accessId} in force.`);
      const { access_id, room_id, user_id, holder, case_reference } = ended;
      audit({ target: room_id ?? user_id ?? accessId, before: { access_id, holder, case_reference } });
      return ended;
    }),
});

const begin = operation({
  id: "legal.export",
  method: "POST",
  path: "/legal/access/:accessId/exports",
  summary: "Gathers what the server has stored of what a legal access is for. Its holder alone may",
  description: "A job. Neither the person nor the room's members are told.",
  role: "auditor",
  isOneTransaction: true,
  body: z.object({ reason: reasonSchema }),
  answer: z.object({ export_id: z.int() }),
  command: { name: "legal export", arguments: ["accessId"] },
  async handle({ params: { accessId }, actor, audit, transact }, ctx) {
    const access = await heldAccess(ctx, numberOf(accessId), actor.userId);
    const { access_id, case_reference, room_id, user_id } = access;
    return transact(async (db) => {
      const export_id = await beginLegalExport(ctx, db, access);
      audit({ target: room_id ?? user_id ?? accessId, after: { export_id, access_id, case_reference } });
      return { export_id };
    });
  },
});

const listExported = operation({
  id: "legal.exports",
  method: "GET",
  path: "/legal/access/:accessId/exports",
  summary: "Lists what was exported under a legal access and is kept, and who fetched it",
  role: "auditor",
  answer: pageOf(exported),
  command: { name: "legal exports", arguments: ["accessId"] },
  async handle({ params: { accessId } }, ctx) {
    if (!(await readAccess(ctx, numberOf(accessId))))
      throw matrixError("M_NOT_FOUND", "There is no legal access with this number.");
    return { items: await legalExports(ctx, numberOf(accessId)) };
  },
});

const fetch = operation({
  id: "legal.fetch_export",
  method: "GET",
  path: "/legal/access/:accessId/exports/:exportId/archive",
  summary: "Gives what was exported under a legal access as a zip archive. Its holder alone may, while it is in force",
  role: "auditor",
  isAudited: true,
  answer: "stream",
  command: { name: "legal fetch-export", arguments: ["accessId", "exportId"], isStream: true },
  async handle({ params: { accessId, exportId }, actor: { userId: by, device }, audit }, ctx) {
    const { access_id, case_reference, room_id, user_id } = await heldAccess(ctx, numberOf(accessId), by);
    const payload = await archiveOf(ctx, { exportId, of: { accessId: access_id }, by, device });
    audit({
      target: room_id ?? user_id ?? accessId,
      after: { export_id: Number(exportId), access_id, case_reference },
    });
    return new Answer({ headers: archiveHeaders(exportId), payload });
  },
});

export const legalOperations: readonly Operation[] = [list, grant, end, begin, listExported, fetch];
