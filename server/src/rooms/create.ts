/** `POST /createRoom`. Specification: client-server-api, "Creation". */
import { profilesOf } from "../account/profile.ts";
import type { Context } from "../context.ts";
import { mayHaveRun } from "../db/outage.ts";
import { drop, requireMayName, reserve } from "../directory/aliases.ts";
import { publish } from "../directory/visibility.ts";
import { matrixError, MatrixError } from "../errors.ts";
import { route } from "../http.ts";
import type { NewEntry } from "../log/entry.ts";
import { randomToken } from "../seams.ts";
import { carryOverInto } from "./carry-over.ts";
import { eventEntry } from "./entry.ts";
import { requireInvitable } from "./invite.ts";
import { createRoomBody, type CreateRoomBody } from "./rules/create-body.ts";
import { planRoom, type RoomPlan } from "./rules/create.ts";
import { type RoomEvent, stateMap } from "./rules/event.ts";
import { addedAliases } from "./rules/validate.ts";
import { newEventId } from "./submit.ts";

export const createRoom = route({
  method: "POST",
  path: "/_matrix/client/v3/createRoom",
  access: "session",
  rate: "create",
  body: createRoomBody,
  async handle({ body, session }, ctx) {
    const plan = await makePlan(ctx, session.userId, body);
    requireOwnAliases(plan);
    if (plan.alias !== undefined) requireMayName(ctx, plan.alias, session);
    await appendNamed(ctx, session.userId, plan);
    if (body.visibility === "public") await publish(ctx, plan.room_id);
    if (body.creation_content?.["predecessor"] !== undefined)
      await carryOverInto(ctx, await ctx.rooms.load(plan.room_id), session.userId);
    return { room_id: plan.room_id };
  },
});

async function makePlan(ctx: Context, creator: string, body: CreateRoomBody): Promise<RoomPlan> {
  const invitees = new Set(body.invite);
  for (const userId of invitees) await requireInvitable(ctx, userId);
  return planRoom(body, {
    creator,
    serverName: ctx.config.serverName,
    defaultVersion: ctx.config.roomVersion,
    now_ms: ctx.seams.now_ms(),
    newEventId: () => newEventId(ctx),
    newRoomLocalpart: () => randomToken(ctx.seams, 18),
    profiles: await profilesOf(ctx, [creator, ...invitees]),
  });
}

/** A room that does not exist yet has no aliases, so its first events can name none but the one that is made with it. */
function requireOwnAliases({ events, alias }: RoomPlan): void {
  for (const { type, content } of events) {
    const wrong = type === "m.room.canonical_alias" ? addedAliases(content).find((each) => each !== alias) : undefined;
    if (wrong !== undefined) throw matrixError("M_BAD_ALIAS", `${wrong} does not point to this room.`);
  }
}

/** The alias is reserved first, so that of two rooms that want it only one is made. */
async function appendNamed(ctx: Context, creator: string, plan: RoomPlan): Promise<void> {
  const { alias, room_id: roomId } = plan;
  if (alias === undefined) return appendRoom(ctx, plan);
  if (!(await reserve(ctx, { alias, roomId, creator })))
    throw matrixError("M_ROOM_IN_USE", `There is a room with the alias ${alias} already.`);
  try {
    await appendRoom(ctx, plan);
  } catch (thrown) {
    // When the database failed nobody knows whether the room is there. If not, its alias is free again after a while.
    if (thrown instanceof MatrixError && !mayHaveRun(thrown)) await drop(ctx, alias, roomId);
    throw thrown;
  }
}

/** Appends all events at once. */
export async function appendRoom(ctx: Context, { room_id: roomId, events }: RoomPlan): Promise<void> {
  const { outcome } = await ctx.log.append({
    lane: roomId,
    room: { id: roomId, version: 0 },
    entries: entriesOf(events),
  });
  if (outcome !== "appended") throw new Error(`the new room ${roomId} was there already`);
}

/** The entries of a room's first events; of two with one type and state key, the second says what it replaces. */
export function entriesOf(events: readonly RoomEvent[]): NewEntry[] {
  const state = stateMap();
  return events.map((event) => {
    const replaced = event.state_key === undefined ? undefined : state.get(event.type, event.state_key);
    state.set(event);
    return eventEntry(event, { replaced });
  });
}
