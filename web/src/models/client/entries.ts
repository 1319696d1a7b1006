import {
  EventType,
  type MatrixClient,
  type MatrixEvent,
  NotificationCountType,
  PushRuleActionName,
  type Room,
} from "matrix-js-sdk";
import { hasDraft } from "../composer/storage.ts";
import type { Presence, RoomEntry, RoomKind } from "../rooms/entry.ts";

const MESSAGE_TYPES = new Set<string>([EventType.RoomMessage, EventType.RoomMessageEncrypted, EventType.Sticker]);

/** The sidebar's row for a room; null for rooms that are left, and for spaces, which are no place to write. */
export function entryOf(client: MatrixClient, room: Room, direct: Set<string>): RoomEntry | null {
  const membership = room.getMyMembership();
  if (membership !== "join" && membership !== "invite") return null;
  if (room.isSpaceRoom() || replaced(client, room)) return null;
  const kind = kindOf(room, direct);
  const peer = kind === "direct" ? peerOf(client, room) : undefined;
  const total = room.getUnreadNotificationCount(NotificationCountType.Total);
  const highlight = room.getUnreadNotificationCount(NotificationCountType.Highlight);
  return {
    id: room.roomId,
    name: room.name,
    kind,
    membership,
    unread: total > 0 || highlight > 0 || hasUnreadMessage(client, room),
    count: kind === "direct" ? total : highlight,
    lastActive_ms: Math.max(0, room.getLastActiveTimestamp()),
    avatarMxc: (peer && room.getMember(peer)?.getMxcAvatarUrl()) ?? room.getMxcAvatarUrl() ?? undefined,
    peer,
    presence: peer ? presenceOf(client, peer) : undefined,
    draft: hasDraft(room.roomId),
    muted: isMuted(client, room.roomId),
    inviter: membership === "invite" ? inviterOf(client, room)?.getSender() : undefined,
  };
}

export function kindOf(room: Room, direct: Set<string>): RoomKind {
  if (direct.has(room.roomId) || (room.getMyMembership() === "invite" && room.getDMInviter())) return "direct";
  const rule: string = room.getJoinRule();
  if (rule === "public") return "public";
  return rule === "restricted" || rule === "knock_restricted" ? "restricted" : "private";
}

/** The other person of a room of two; undefined for more. */
export function peerOf(client: MatrixClient, room: Room): string | undefined {
  if (room.getInvitedAndJoinedMemberCount() > 2) return undefined;
  const me = client.getSafeUserId();
  const inviter = room.getDMInviter();
  return inviter ?? room.getMembers().find((member) => member.userId !== me)?.userId ?? undefined;
}

export function presenceOf(client: MatrixClient, userId: string): Presence {
  const presence = client.getUser(userId)?.presence;
  return presence === "online" || presence === "unavailable" ? presence : "offline";
}

/** The event by which one was invited. */
export function inviterOf(client: MatrixClient, room: Room): MatrixEvent | undefined {
  return room.getMember(client.getSafeUserId())?.events.member;
}

/** A room that has been replaced and left behind for the room that replaces it. */
function replaced(client: MatrixClient, room: Room): boolean {
  const tombstone = room.currentState.getStateEvents(EventType.RoomTombstone, "");
  const next = tombstone?.getContent<{ replacement_room?: string }>().replacement_room;
  return Boolean(next && client.getRoom(next)?.getMyMembership() === "join");
}

/** Whether the newest message of somebody else stands after the own receipt. Counts nothing, so it also knows muted rooms. */
function hasUnreadMessage(client: MatrixClient, room: Room): boolean {
  const me = client.getSafeUserId();
  const events = room.getLiveTimeline().getEvents();
  const read = room.getEventReadUpTo(me);
  if (read === null) return false;
  for (let index = events.length - 1; index >= 0; index -= 1) {
    const event = events[index];
    if (!event) continue;
    if (event.getId() === read) return false;
    if (event.getSender() === me && !event.status) return false;
    if (MESSAGE_TYPES.has(event.getType()) && !event.isRedacted() && !event.isRelation("m.replace")) return true;
  }
  return false;
}

function isMuted(client: MatrixClient, roomId: string): boolean {
  const rule = client.pushRules?.global.override?.find(
    (candidate) => candidate.rule_id === roomId && candidate.enabled,
  );
  return rule ? rule.actions.length === 0 || rule.actions.includes(PushRuleActionName.DontNotify) : false;
}
