import type { Room } from "matrix-js-sdk";
import { localpart } from "../format/words.ts";
import type { Person } from "../timeline/item.ts";

/** Someone as the room knows them; who is not in it any more is shown by their id. */
export function personIn(room: Room, userId: string): Person {
  const member = room.getMember(userId);
  const name = member?.name && member.name !== userId ? member.name : localpart(userId);
  return { id: userId, name, avatarMxc: member?.getMxcAvatarUrl() ?? undefined };
}
