/** The members of a room, and what the person may do with them. */
import { EventType, type MatrixClient, type Room } from "matrix-js-sdk";
import type { Member, Role, RoomInfo } from "../room/model.ts";
import { presenceOf } from "./entries.ts";
import { personIn } from "./person.ts";

export const LEVELS: Record<Role, number> = { admin: 100, moderator: 50, member: 0 };

export function roleOf(level: number): Role {
  return level >= LEVELS.admin ? "admin" : level >= LEVELS.moderator ? "moderator" : "member";
}

/** Everybody who is in the room, invited or banned, by role and name. */
export function membersOf(client: MatrixClient, room: Room): Member[] {
  const me = client.getSafeUserId();
  const own = powerOf(room, me);
  return room
    .getMembers()
    .filter((member) => member.membership === "join" || member.membership === "invite" || member.membership === "ban")
    .map((member): Member => {
      const powerLevel = powerOf(room, member.userId);
      return {
        ...personIn(room, member.userId),
        membership: member.membership as Member["membership"],
        role: roleOf(powerLevel),
        powerLevel,
        presence: presenceOf(client, member.userId),
        isMe: member.userId === me,
        manageable: member.userId !== me && own > powerLevel,
      };
    })
    .toSorted((a, b) => b.powerLevel - a.powerLevel || a.name.localeCompare(b.name));
}

/** Creators stand above all levels (room version 12). */
export function powerOf(room: Room, userId: string): number {
  return isCreator(room, userId) ? Infinity : (room.getMember(userId)?.powerLevel ?? 0);
}

function isCreator(room: Room, userId: string): boolean {
  const create = room.currentState.getStateEvents(EventType.RoomCreate, "");
  const content = create?.getContent<{ room_version?: string; additional_creators?: string[] }>();
  if (Number(content?.room_version ?? 1) < 12) return false;
  return create?.getSender() === userId || (content?.additional_creators?.includes(userId) ?? false);
}

/** What the person may do in the room. */
export function rightsOf(client: MatrixClient, room: Room): RoomInfo["can"] {
  const me = client.getSafeUserId();
  const own = powerOf(room, me);
  const state = room.currentState;
  const may = (action: "invite" | "kick" | "ban") => own === Infinity || state.hasSufficientPowerLevelFor(action, own);
  const mayState = (type: EventType) => own === Infinity || state.maySendStateEvent(type, me);
  return {
    invite: may("invite"),
    kick: may("kick"),
    ban: may("ban"),
    rename: mayState(EventType.RoomName),
    setTopic: mayState(EventType.RoomTopic),
    changeRoles: mayState(EventType.RoomPowerLevels),
  };
}
