/**
 * A room as the specification's text describes it, written down a second time and in another way than the server has it: plain
 * values, no states in memory, no log. It shares no code with the server, so that a mistake would have to be made twice.
 *
 * Text: rooms/v7, v11 and v12, "Authorization rules"; client-server-api, "Room membership", `m.room.power_levels`.
 */

export type Membership = "none" | "join" | "invite" | "leave" | "ban" | "knock";
export type JoinRule = "public" | "invite" | "knock" | "restricted" | "private";
export type Visibility = "world_readable" | "shared" | "invited" | "joined";
export type Scalar = "ban" | "kick" | "invite" | "redact" | "events_default" | "state_default" | "users_default";

export interface Levels {
  users?: Record<string, number>;
  events?: Record<string, number>;
  ban?: number;
  kick?: number;
  invite?: number;
  redact?: number;
  events_default?: number;
  state_default?: number;
  users_default?: number;
}

/** What happened in the room, in its order. */
export interface Happening {
  type: string;
  sender: string;
  /** Of a membership: whose. */
  target?: string;
  membership?: Membership;
  visibility?: Visibility;
}

export interface ModelRoom {
  /** Power beyond every number. Empty before version 12. */
  creators: readonly string[];
  hasKnocking: boolean;
  members: Map<string, Membership>;
  /** Who left and asked that the room be forgotten, until they come to have a new membership in it. */
  forgotten: Set<string>;
  joinRule: JoinRule;
  levels: Levels;
  visibility: Visibility;
  /** Who set what is set now: doing that again changes nothing. */
  setBy: Record<"joinRule" | "levels" | "visibility", string>;
  happened: Happening[];
}

/** An act that changes a membership: one's own, or that of somebody else. */
export type MembershipAct =
  | { do: "join" | "leave" | "knock"; who: string }
  | { do: "invite" | "kick" | "ban" | "unban"; who: string; whom: string };
export type LevelAct =
  | { do: "power"; who: string; whom: string; level: number }
  | { do: "level"; who: string; name: Scalar; level: number };
export type StateAct =
  | LevelAct
  | { do: "joinRule"; who: string; value: JoinRule }
  | { do: "visibility"; who: string; value: Visibility };

/** What somebody tries. */
export type Act =
  | MembershipAct
  | StateAct
  | { do: "forget" | "say"; who: string }
  | { do: "redact"; who: string; whom: string };

export const membershipIn = (room: ModelRoom, user: string): Membership => room.members.get(user) ?? "none";

const isIn = (room: ModelRoom, user: string): boolean => membershipIn(room, user) === "join";

function power(room: ModelRoom, user: string): number {
  if (room.creators.includes(user)) return Infinity;
  return room.levels.users?.[user] ?? room.levels.users_default ?? 0;
}

const actionLevel = (room: ModelRoom, action: "ban" | "kick" | "redact" | "invite"): number =>
  room.levels[action] ?? (action === "invite" ? 0 : 50);

function maySend(room: ModelRoom, user: string, { type, isState }: { type: string; isState: boolean }): boolean {
  const usual = isState ? (room.levels.state_default ?? 50) : (room.levels.events_default ?? 0);
  return isIn(room, user) && power(room, user) >= (room.levels.events?.[type] ?? usual);
}

function mayBecome(room: ModelRoom, { who, whom, membership }: { who: string; whom: string; membership: Membership }) {
  const now = membershipIn(room, whom);
  if (membership === "join") {
    if (now === "ban") return false;
    return room.joinRule === "public" || ((now === "invite" || now === "join") && room.joinRule !== "private");
  }
  if (membership === "knock")
    return room.hasKnocking && room.joinRule === "knock" && !["ban", "invite", "join"].includes(now);
  if (membership === "leave" && who === whom) return now === "invite" || now === "join" || now === "knock";
  if (!isIn(room, who)) return false;
  if (membership === "invite")
    return now !== "join" && now !== "ban" && power(room, who) >= actionLevel(room, "invite");
  const isAbove = power(room, whom) < power(room, who);
  if (membership === "ban") return isAbove && power(room, who) >= actionLevel(room, "ban");
  if (now === "ban" && power(room, who) < actionLevel(room, "ban")) return false;
  return isAbove && power(room, who) >= actionLevel(room, "kick");
}

/** Rule 10 of version 12, where every level that changes stands beside what it was. */
function mayChangeLevels(room: ModelRoom, who: string, next: Levels): boolean {
  const own = power(room, who);
  const before: Record<string, unknown> = { ...room.levels };
  const after: Record<string, unknown> = { ...next };
  for (const name of Object.keys({ ...before, ...after })) {
    if (name === "users" || name === "events" || before[name] === after[name]) continue;
    if (Number(before[name] ?? -1e9) > own || Number(after[name] ?? -1e9) > own) return false;
  }
  const [old, fresh] = [room.levels.users ?? {}, next.users ?? {}];
  for (const user of Object.keys({ ...old, ...fresh })) {
    if (old[user] === fresh[user]) continue;
    if (user !== who && old[user] !== undefined && old[user] >= own) return false;
    if ((fresh[user] ?? -1e9) > own) return false;
  }
  return true;
}

export type Outcome = "refused" | "done" | "nothing new";

/** Tries an act: changes the room where it is allowed, and says what came of it. */
export function attempt(room: ModelRoom, act: Act): Outcome {
  switch (act.do) {
    case "say":
      if (!maySend(room, act.who, { type: "m.room.message", isState: false })) return "refused";
      return happen(room, { type: "m.room.message", sender: act.who });
    case "redact":
      return attemptRedaction(room, act);
    case "forget":
      if (!["leave", "ban"].includes(membershipIn(room, act.who))) return "refused";
      room.forgotten.add(act.who);
      return "nothing new";
    case "power":
    case "level":
    case "joinRule":
    case "visibility":
      return attemptState(room, act);
    default:
      return attemptMembership(room, act);
  }
}

const BECOMES = { join: "join", leave: "leave", knock: "knock", invite: "invite", ban: "ban" } as const;

function attemptMembership(room: ModelRoom, act: MembershipAct): Outcome {
  const whom = "whom" in act ? act.whom : act.who;
  const now = membershipIn(room, whom);
  // By the rules who left can not leave; but a client that repeats its request is told that it is done.
  if ((act.do === "leave" || act.do === "join") && now === act.do) return "nothing new";
  const membership = act.do === "kick" || act.do === "unban" ? "leave" : BECOMES[act.do];
  if (!mayBecome(room, { who: act.who, whom, membership })) return "refused";
  if (act.do === "kick" && !["join", "invite", "knock"].includes(now)) return "refused";
  if (act.do === "unban" && now !== "ban") return "refused";
  if (now === membership) return "nothing new";
  room.members.set(whom, membership);
  room.forgotten.delete(whom);
  return happen(room, { type: "m.room.member", sender: act.who, target: whom, membership });
}

/** One's own message takes the power to send a redaction, that of somebody else the redact level too. */
function attemptRedaction(room: ModelRoom, { who, whom }: { who: string; whom: string }): Outcome {
  if (!maySend(room, who, { type: "m.room.redaction", isState: false })) return "refused";
  if (who !== whom && power(room, who) < actionLevel(room, "redact")) return "refused";
  return happen(room, { type: "m.room.redaction", sender: who });
}

function attemptState(room: ModelRoom, act: StateAct): Outcome {
  const piece = act.do === "power" || act.do === "level" ? "levels" : act.do;
  const type = {
    levels: "m.room.power_levels",
    joinRule: "m.room.join_rules",
    visibility: "m.room.history_visibility",
  };
  if (!maySend(room, act.who, { type: type[piece], isState: true })) return "refused";
  const next = "value" in act ? act.value : levelsAfter(room.levels, act);
  if (piece === "levels") {
    if (room.creators.some((each) => (next as Levels).users?.[each] !== undefined)) return "refused";
    if (!mayChangeLevels(room, act.who, next as Levels)) return "refused";
  }
  if (room.setBy[piece] === act.who && JSON.stringify(room[piece]) === JSON.stringify(next)) return "nothing new";
  Object.assign(room, { [piece]: next });
  room.setBy[piece] = act.who;
  return happen(room, {
    type: type[piece],
    sender: act.who,
    ...(act.do === "visibility" && { visibility: act.value }),
  });
}

/** The whole content after the change, as a client would send it. */
export function levelsAfter(levels: Levels, act: LevelAct): Levels {
  if (act.do === "level") return { ...levels, [act.name]: act.level };
  return { ...levels, users: { ...levels.users, [act.whom]: act.level } };
}

function happen(room: ModelRoom, happening: Happening): Outcome {
  room.happened.push(happening);
  return "done";
}
