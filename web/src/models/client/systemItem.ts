/** Changes of the room as sentences. */
import { EventType, type MatrixEvent, type Room } from "matrix-js-sdk";
import { names } from "../format/words.ts";
import type { MemberAction, SystemItem } from "../timeline/item.ts";
import { hasType } from "./events.ts";
import { personIn } from "./person.ts";
import { parts, text } from "./safe.ts";

/** What its creator sets up within this time belongs to the making of a room, which is told in one sentence. */
const MAKING_MS = 5_000;

export interface Where {
  room: Room;
  /** With whom one talks directly there; null in a channel. */
  direct: string[] | null;
  me: string;
}

/** The item for a state event that people want to know of; null for all others. */
export function systemItem(where: Where, event: MatrixEvent): SystemItem | null {
  if (isPartOfMaking(where, event)) return null;
  const told = hasType(event, EventType.RoomMember) ? membership(where.room, event) : change(where, event);
  if (!told) return null;
  const id = event.getId() ?? "";
  return { type: "system", key: id, id, at_ms: event.getTs(), ...told };
}

function isPartOfMaking({ room, direct }: Where, event: MatrixEvent): boolean {
  const create = room.currentState.getStateEvents(EventType.RoomCreate, "");
  if (!create || hasType(event, EventType.RoomCreate) || event.getSender() !== create.getSender()) return false;
  if (event.getTs() - create.getTs() > MAKING_MS) return false;
  // That somebody began to talk with others says that they were invited.
  return direct !== null || !hasType(event, EventType.RoomMember) || event.getStateKey() === create.getSender();
}

type Told = Pick<SystemItem, "text" | "member">;

function membership(room: Room, event: MatrixEvent): Told | null {
  const now = parts(event.getContent());
  const before = parts(event.getPrevContent());
  const userId = event.getStateKey() ?? "";
  const name = text(now["displayname"]) || text(before["displayname"]) || personIn(room, userId).name;
  const action = actionOf({
    now: text(now["membership"]),
    before: text(before["membership"]),
    byThemselves: event.getSender() === userId,
  });
  if (!action) return null;
  return { text: SENTENCES[action](name, personIn(room, event.getSender() ?? "").name), member: { action, name } };
}

const SENTENCES: Record<MemberAction, (name: string, by: string) => string> = {
  joined: (name) => `${name} joined`,
  left: (name) => `${name} left`,
  invited: (name, by) => `${by} invited ${name}`,
  removed: (name, by) => `${by} removed ${name}`,
  banned: (name, by) => `${by} banned ${name}`,
  unbanned: (name, by) => `${by} lifted the ban on ${name}`,
  declined: (name) => `${name} declined the invite`,
  renamed: (name) => `${name} changed their name or picture`,
};

function actionOf({
  now,
  before,
  byThemselves,
}: {
  now: string | undefined;
  before: string | undefined;
  byThemselves: boolean;
}): MemberAction | null {
  if (now === "join") return before === "join" ? "renamed" : "joined";
  if (now === "invite") return "invited";
  if (now === "ban") return "banned";
  if (now !== "leave") return null;
  if (before === "ban") return "unbanned";
  if (!byThemselves) return "removed";
  return before === "invite" ? "declined" : "left";
}

function change(where: Where, event: MatrixEvent): Told | null {
  const { room, direct } = where;
  const who = personIn(room, event.getSender() ?? "").name;
  const place = direct ? "conversation" : "channel";
  const raw = parts(event.getContent());
  const content = { name: text(raw["name"]), topic: text(raw["topic"]), join_rule: text(raw["join_rule"]) };
  switch (event.getType() as EventType) {
    case EventType.RoomCreate:
      return {
        text: direct ? `${who} started this conversation${withOthers(where, event)}` : `${who} created this channel`,
      };
    case EventType.RoomName:
      return {
        text: content.name ? `${who} named the ${place} ${content.name}` : `${who} took the ${place}'s name away`,
      };
    case EventType.RoomTopic:
      return { text: content.topic ? `${who} set the topic: ${content.topic}` : `${who} took the topic away` };
    case EventType.RoomAvatar:
      return { text: `${who} changed the ${place}'s picture` };
    case EventType.RoomEncryption:
      return { text: `${who} turned on encryption` };
    case EventType.RoomJoinRules:
      return {
        text: content.join_rule === "public" ? `${who} opened the ${place} to everyone` : `${who} changed who can join`,
      };
    case EventType.RoomTombstone:
      return { text: `${who} moved this ${place} to a new one` };
    default:
      return null;
  }
}

/** Of two who talk with each other, the one who did not begin. */
function withOthers({ room, direct, me }: Where, event: MatrixEvent): string {
  const others = [me, ...(direct ?? [])].filter((userId) => userId !== event.getSender());
  return others.length === 0 ? "" : ` with ${names(others.map((userId) => personIn(room, userId).name))}`;
}
