/**
 * What operators do inside of a room. Nobody is above a room's rules: a member who has the power acts, as if they had done it
 * themselves, and the event says so. Where no member has it, nobody can.
 */
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { requireInvitable } from "./invite.ts";
import { memberContent, memberProposal } from "./member-body.ts";
import { type Content, isObject } from "./rules/event.ts";
import { isPrivilegedCreator, levelsOf, powerOf, requiredPower } from "./rules/power.ts";
import type { RoomState } from "./state.ts";
import { type Proposal, submit } from "./submit.ts";

const POWER_LEVELS = "m.room.power_levels";
/** What a room's administrators have by convention. Specification: `m.room.power_levels`. */
const ADMINISTRATOR = 100;

/** Whether somebody has the power of an administrator, in the room or not. */
export function isAdministrator(room: RoomState, userId: string): boolean {
  return powerOf(room, userId) >= ADMINISTRATOR;
}

/** The joined member with the most power, or the `preferred` one, if that is enough. Throws M_FORBIDDEN where nobody has so much. */
export function strongest(room: RoomState, least: number, preferred?: string): { userId: string; power: number } {
  const needed = Math.max(least, requiredPower(room, POWER_LEVELS, true));
  let best: { userId: string; power: number } | undefined;
  for (const userId of room.joined()) {
    if (userId === preferred && powerOf(room, userId) >= needed) return { userId, power: powerOf(room, userId) };
    const power = powerOf(room, userId);
    if (power >= needed && power > (best?.power ?? -Infinity)) best = { userId, power };
  }
  if (best) return best;
  throw matrixError(
    "M_FORBIDDEN",
    `No member of this room has the power for it: it takes ${needed}. Only a member can give power.`,
  );
}

/** The levels as they are in force, so that writing them down takes nobody's away. */
function currentLevels(room: RoomState): Content & { users: Record<string, unknown> } {
  const levels = levelsOf(room);
  if (room.get(POWER_LEVELS)) return { ...levels, users: isObject(levels["users"]) ? { ...levels["users"] } : {} };
  const creator = room.get("m.room.create")?.sender as string;
  return { users: powerOf(room, creator) === Infinity ? {} : { [creator]: ADMINISTRATOR } };
}

/** The levels with which somebody has the power of an administrator. Nobody else's changes. Throws M_FORBIDDEN where no member can write them. */
export function administratorProposal(room: RoomState, userId: string, preferred?: string): Proposal {
  const { userId: actedAs } = strongest(room, ADMINISTRATOR, preferred);
  const levels = currentLevels(room);
  return levelsProposal(actedAs, { ...levels, users: { ...levels.users, [userId]: ADMINISTRATOR } });
}

function levelsProposal(sender: string, content: Content): Proposal {
  return { sender, type: POWER_LEVELS, state_key: "", content };
}

/**
 * Gives somebody the power of an administrator of the room, unless they have as much or more, and invites them where they are not in it and may not come by
 * themselves. Gives who acted. Throws M_FORBIDDEN where no member can.
 */
export async function makeRoomAdmin(
  ctx: Context,
  roomId: string,
  userId: string,
): Promise<{ actedAs: string; invited: boolean }> {
  let actedAs = "";
  await requireInvitable(ctx, userId);
  await submit(ctx, {
    roomId,
    propose(room) {
      const create = room.get("m.room.create");
      if (create && isPrivilegedCreator(create, userId))
        throw matrixError("M_INVALID_PARAM", `${userId} created this room and has all power in it.`);
      const proposal = administratorProposal(room, userId);
      actedAs = proposal.sender;
      // Whoever has more keeps it.
      return isAdministrator(room, userId) ? { already: room.get(POWER_LEVELS)?.event_id ?? "" } : proposal;
    },
  });
  return { actedAs, invited: await inviteWhereNeeded(ctx, { roomId, userId, actedAs }) };
}

async function inviteWhereNeeded(
  ctx: Context,
  { roomId, userId, actedAs }: { roomId: string; userId: string; actedAs: string },
): Promise<boolean> {
  const room = await ctx.rooms.load(roomId);
  const membership = room.membership(userId);
  const isOpen = room.get("m.room.join_rules")?.content["join_rule"] === "public";
  if (membership === "join" || membership === "invite" || isOpen) return false;
  const proposal = memberProposal(actedAs, userId, memberContent("invite", {}));
  await submit(ctx, { roomId, propose: () => proposal });
  return true;
}

/**
 * Makes the room one that is read only: whoever may not set its power levels sends nothing more, changes nothing and invites nobody.
 * Its administrators can change it back. Gives who acted.
 */
export async function archiveRoom(ctx: Context, roomId: string): Promise<{ actedAs: string; level: number }> {
  let acted = { actedAs: "", level: ADMINISTRATOR };
  await submit(ctx, {
    roomId,
    propose(room) {
      const { userId, power } = strongest(room, 0);
      const level = Math.min(ADMINISTRATOR, power);
      acted = { actedAs: userId, level };
      return levelsProposal(userId, archived(currentLevels(room), level));
    },
  });
  return acted;
}

function archived(levels: Content, level: number): Content {
  const atLeast = (value: unknown) => (typeof value === "number" && value > level ? value : level);
  const listed = isObject(levels["events"]) ? Object.entries(levels["events"]) : [];
  const below = (value: unknown) => (typeof value === "number" && value < level ? value : 0);
  return {
    ...levels,
    events: Object.fromEntries(listed.map(([type, value]) => [type, atLeast(value)])),
    events_default: atLeast(levels["events_default"]),
    state_default: atLeast(levels["state_default"]),
    invite: atLeast(levels["invite"]),
    users_default: below(levels["users_default"]),
  };
}
