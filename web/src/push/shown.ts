/** What a notification says: from a message of Web Push, and from the page where one is open and can decrypt. */

/** A message of Web Push, as docs/protocol/push.md has it. */
export interface PushMessage {
  type?: string;
  room_id?: string;
  event_id?: string;
  sender?: string;
  sender_display_name?: string;
  room_name?: string;
  membership?: string;
  /** Never of an encrypted event. */
  content?: Record<string, unknown>;
  /** In all rooms. */
  unread?: number;
}

/** What the page says to the service worker. */
export interface PageAnswer {
  /** The person has the room before their eyes. */
  seen?: boolean;
  /** What was written. */
  text?: string;
}

export interface Shown {
  title: string;
  body: string;
  /** One notification for each room: a newer one takes the place of the one before. */
  tag: string;
  /** Where a click leads. */
  path: string;
}

const LONGEST = 240;
const TEST = "io.parley.test";

const KINDS: Readonly<Record<string, string>> = {
  "m.image": "A picture",
  "m.file": "A file",
  "m.audio": "A sound",
  "m.video": "A video",
  "m.location": "A place",
};

/** Undefined where there is nothing to show: a number alone, or what the person is looking at. */
export function shownFor(message: PushMessage, answer?: PageAnswer): Shown | undefined {
  if (message.type === TEST)
    return { title: "Parley", body: "Notifications work on this device.", tag: TEST, path: "/settings/notifications" };
  const { room_id: roomId, event_id: eventId } = message;
  if (typeof roomId !== "string" || typeof eventId !== "string" || answer?.seen) return undefined;
  return {
    title: titleOf(message),
    body: (answer?.text ?? bodyOf(message)).slice(0, LONGEST),
    tag: roomId,
    path: `/c/${encodeURIComponent(roomId)}`,
  };
}

function titleOf({ sender, sender_display_name, room_name }: PushMessage): string {
  const who = sender_display_name || sender?.replace(/^@([^:]+):.*$/, "$1");
  if (!who) return "New message";
  return room_name ? `${who} in ${room_name}` : who;
}

function bodyOf({ type, membership, content }: PushMessage): string {
  if (membership === "invite") return "Invites you";
  if (type === "m.call.invite") return "Calls you";
  const kind = KINDS[String(content?.["msgtype"])];
  const text = content?.["body"];
  return kind ?? (typeof text === "string" && text !== "" ? text : "New message");
}
