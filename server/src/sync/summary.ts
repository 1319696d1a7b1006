/** The summary of a room that clients name and count it by. Specification: client-server-api, GET /sync, "RoomSummary". */
import type { RoomState } from "../rooms/state.ts";

const HEROES = 5;

/** The JSON of the summary. */
export function summaryOf(room: RoomState, userId: string): string {
  const counts = `"m.joined_member_count":${room.joinedCount},"m.invited_member_count":${room.invitedCount}`;
  return isNamed(room) ? `{${counts}}` : `{${counts},"m.heroes":${JSON.stringify(heroesOf(room, userId))}}`;
}

function isNamed(room: RoomState): boolean {
  return (
    Boolean(room.get("m.room.name")?.content["name"]) || Boolean(room.get("m.room.canonical_alias")?.content["alias"])
  );
}

/** After whom a room is called that has neither a name nor an alias. */
export function heroesOf(room: RoomState, userId: string): string[] {
  return isNamed(room) ? [] : firstMembers(room, userId);
}

/** The first five members beside the reader, in the order in which they came; those who left only where nobody is there. */
export function firstMembers(room: RoomState, userId: string): string[] {
  const here: [string, number][] = [];
  const gone: [string, number][] = [];
  for (const [member, membership] of room.memberships()) {
    if (member === userId) continue;
    const isHere = membership === "join" || membership === "invite";
    (isHere ? here : gone).push([member, room.memberPosition(member)]);
  }
  const list = here.length > 0 ? here : gone;
  return list
    .toSorted((a, b) => a[1] - b[1])
    .slice(0, HEROES)
    .map(([member]) => member);
}
