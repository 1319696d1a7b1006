/** The messages that replies quote. What is not loaded is fetched once. */
import type { MatrixClient, MatrixEvent, Room } from "matrix-js-sdk";
import type { Quote } from "../timeline/item.ts";
import { bodyOf } from "./body.ts";
import { relationOf } from "./edits.ts";
import { personIn } from "./person.ts";
import { parts, text } from "./safe.ts";
import type { Shields } from "./shields.ts";

/** How much of a message a quote may repeat. */
const QUOTED = 200;

export interface QuoteOptions {
  client: MatrixClient;
  room: Room;
  shields: Shields;
  changed: () => void;
}

/** A function that gives the quote above a reply, undefined for what is no reply. `changed` tells that one was fetched. */
export function openQuotes({
  client,
  room,
  shields,
  changed,
}: QuoteOptions): (event: MatrixEvent) => Quote | undefined {
  /** Null while it is being fetched, and for what cannot be had. */
  const fetched = new Map<string, MatrixEvent | null>();
  const fetchOne = async (id: string) => {
    fetched.set(id, null);
    const event = client.getEventMapper()(await client.fetchRoomEvent(room.roomId, id));
    await client.decryptEventIfNeeded(event);
    fetched.set(id, event);
    changed();
  };
  return (event) => {
    const relation = relationOf(event);
    const id = text(parts(relation["m.in_reply_to"])["event_id"]);
    // A message of a thread points to the one before it only for clients that know no threads.
    if (!id || relation["is_falling_back"] === true) return undefined;
    const original = room.findEventById(id) ?? fetched.get(id);
    if (original) return quote(room, original, shields.of(original));
    // What cannot be fetched is quoted without its words.
    if (!fetched.has(id)) fetchOne(id).catch(() => undefined);
    return { id, sender: null, text: "An earlier message" };
  };
}

/** What is wrong with where the message came from stands before its words. */
function quote(room: Room, original: MatrixEvent, warning: string | undefined): Quote {
  const words = bodyOf(room, original).text.slice(0, QUOTED);
  const text = warning === undefined ? words : `${warning}: ${words}`;
  return { id: original.getId() ?? "", sender: personIn(room, original.getSender() ?? ""), text };
}
