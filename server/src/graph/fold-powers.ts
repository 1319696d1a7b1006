/** Who has power in a room, and who gave it. Specification: client-server-api, `m.room.power_levels`; rooms, version 12. */
import { levelOf } from "../rooms/rules/power.ts";
import { roomVersion } from "../rooms/rules/versions.ts";
import { clean } from "./clean.ts";
import type { Step } from "./fold.ts";
import { type Power, UNLIMITED } from "./model.ts";

type Content = Record<string, unknown>;

export function foldCreate({ draft, entry, content, room }: Step): void {
  const version = typeof content["room_version"] === "string" ? content["room_version"] : "1";
  const isUnlimited = hasUnlimitedCreators(version);
  const more = isUnlimited && Array.isArray(content["additional_creators"]) ? content["additional_creators"] : [];
  const predecessor = content["predecessor"] as { room_id?: unknown } | undefined;
  room.roomVersion = version;
  room.isSpace = content["type"] === "m.space";
  room.created_ms = entry.ts;
  room.creators = [...new Set([entry.userId as string, ...(more as string[])])];
  room.predecessor = typeof predecessor?.room_id === "string" ? clean(predecessor.room_id) : null;
  const granted = { roomId: room.roomId, grantedBy: entry.userId as string, granted_ms: entry.ts as number };
  const powers = room.creators.map((userId) => ({ ...granted, userId, level: isUnlimited ? UNLIMITED : 100 }));
  draft.powers.set(room.roomId, new Map(powers.map((power) => [power.userId, power])));
  draft.changed.powers.add(room.roomId);
}

function hasUnlimitedCreators(version: string | null): boolean {
  return roomVersion(version ?? "1")?.privilegedCreators === true;
}

const numberIn = (map: unknown, key: string): number | undefined =>
  typeof map === "object" && map !== null && Object.hasOwn(map, key) ? levelOf((map as Content)[key]) : undefined;

/** Whose level stays the same keeps who gave it, and when. */
export function foldLevels({ draft, entry, content, room }: Step): void {
  room.hasLevels = true;
  room.usersDefault = numberIn(content, "users_default") ?? 0;
  room.inviteLevel = numberIn(content, "invite") ?? 0;
  room.manageLevel = numberIn(content["events"], "m.room.power_levels") ?? numberIn(content, "state_default") ?? 50;
  const before = draft.powers.get(room.roomId) ?? new Map<string, Power>();
  const isUnlimited = hasUnlimitedCreators(room.roomVersion);
  const now = new Map([...before].filter(([userId]) => isUnlimited && room.creators.includes(userId)));
  const users = typeof content["users"] === "object" && content["users"] !== null ? content["users"] : {};
  for (const [userId, given] of Object.entries(users)) {
    const level = levelOf(given);
    if (level === undefined || now.has(userId) || clean(userId) !== userId) continue;
    const known = before.get(userId);
    const fresh = {
      roomId: room.roomId,
      userId,
      level,
      grantedBy: entry.userId as string,
      granted_ms: entry.ts as number,
    };
    now.set(userId, known?.level === level ? known : fresh);
  }
  draft.powers.set(room.roomId, now);
  draft.changed.powers.add(room.roomId);
}
