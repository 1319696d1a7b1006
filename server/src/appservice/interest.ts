/**
 * What a service is interested in. Specification: application-service-api, "Registration": rooms of its namespaces by their ids and
 * aliases, and every room while one of its users is in it. For an event that lies back, who is in the room now says nothing: whose
 * membership changed since is looked up as of then.
 */
import type { Context } from "../context.ts";
import { aliasesOf } from "../directory/aliases.ts";
import { wasAnyJoined } from "../rooms/history.ts";
import type { RoomState } from "../rooms/state.ts";
import type { Service } from "./service.ts";

export interface At {
  roomId: string;
  position: number;
}

/** Asks about one stretch of the log; what it found out about the aliases of a room it keeps until then. */
export interface Interest {
  isIn(at: At): Promise<boolean>;
}

export function openInterest(ctx: Context, service: Service): Interest {
  const byName = new Map<string, Promise<boolean>>();
  const isNamed = (roomId: string): Promise<boolean> => {
    const known = byName.get(roomId) ?? named(ctx, service, roomId);
    byName.set(roomId, known);
    return known;
  };
  return {
    isIn: async (at) => (await isNamed(at.roomId)) || hasUserIn(ctx, service, at),
  };
}

async function named(ctx: Context, service: Service, roomId: string): Promise<boolean> {
  if (service.room(roomId) !== "no") return true;
  if (service.aliases.length === 0) return false;
  return (await aliasesOf(ctx, roomId)).some((alias) => service.alias(alias) !== "no");
}

async function hasUserIn(ctx: Context, service: Service, { roomId, position }: At): Promise<boolean> {
  const room = await ctx.rooms.find(roomId);
  if (!room) return false;
  const changed: string[] = [];
  for (const userId of usersIn(service, room)) {
    if (room.memberPosition(userId) > position) changed.push(userId);
    else if (room.membership(userId) === "join") return true;
  }
  return changed.length > 0 && (await wasAnyJoined(ctx, roomId, { position, userIds: changed }));
}

interface Users {
  memberCount: number;
  userIds: readonly string[];
}

const known = new WeakMap<Service, WeakMap<RoomState, Users>>();

/** The service's users who are or were in the room. Nobody ever leaves that list, so its length says whether it is still right. */
function usersIn(service: Service, room: RoomState): readonly string[] {
  let rooms = known.get(service);
  if (!rooms) known.set(service, (rooms = new WeakMap()));
  const before = rooms.get(room);
  if (before?.memberCount === room.memberCount) return before.userIds;
  const userIds = [...room.memberships().keys()].filter((userId) => service.user(userId) !== "no");
  rooms.set(room, { memberCount: room.memberCount, userIds });
  return userIds;
}
