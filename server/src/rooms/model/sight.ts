/**
 * Who may see what happened, by the five rules of the specification and its two exceptions, asked anew for each event and person.
 * Text: client-server-api, "Room History Visibility", "Server behaviour".
 */
import { type Happening, type Membership, membershipIn, type ModelRoom, type Visibility } from "./room.ts";

interface Moment {
  visibility: Visibility;
  membership: Membership;
}

/** For each event, whether the person may see it. */
export function sightIn(room: ModelRoom, user: string): boolean[] {
  const isForgotten = room.forgotten.has(user);
  let now: Moment = { visibility: "shared", membership: "none" };
  const moments = room.happened.map((happening) => {
    const before = now;
    now = after(before, happening, user);
    return { happening, before, now };
  });
  const joins = moments.map(({ happening }) => isOwn(happening, user) && happening.membership === "join");
  return moments.map((moment, index) => {
    const joinsLater = joins.slice(index + 1).includes(true);
    const allows = ({ visibility, membership }: Moment): boolean => {
      if (visibility === "world_readable") return true;
      if (isForgotten) return false;
      if (membership === "join") return true;
      if (visibility === "shared" && joinsLater) return true;
      return membership === "invite" && visibility === "invited";
    };
    const isChange = moment.happening.visibility !== undefined || isOwn(moment.happening, user);
    return allows(moment.now) || (isChange && allows(moment.before));
  });
}

/** Whether the person may read the room's history page by page at all. */
export function mayRead(room: ModelRoom, user: string): boolean {
  const membership = membershipIn(room, user);
  if (membership === "join" || room.visibility === "world_readable") return true;
  if (room.forgotten.has(user) || (membership !== "leave" && membership !== "ban")) return false;
  return room.happened.some((happening) => isOwn(happening, user) && happening.membership === "join");
}

function isOwn(happening: Happening, user: string): boolean {
  return happening.type === "m.room.member" && happening.target === user;
}

function after(before: Moment, happening: Happening, user: string): Moment {
  return {
    visibility: happening.visibility ?? before.visibility,
    membership: isOwn(happening, user) ? (happening.membership as Membership) : before.membership,
  };
}
