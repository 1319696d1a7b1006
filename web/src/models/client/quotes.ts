/** The messages that replies quote. What is not loaded is fetched once. */
import type { MatrixClient, MatrixEvent, Room } from "matrix-js-sdk";
import type { Quote } from "../timeline/item.ts";
import { bodyOf } from "./body.ts";
import { personIn } from "./person.ts";
import { parts } from "./safe.ts";

/** How much of a message a quote may repeat. */
const QUOTED = 200;

/** A function that gives the quote above a reply, undefined for what is no reply. `changed` tells that one was fetched. */
export function openQuotes(
  client: MatrixClient,
  room: Room,
  changed: () => void,
): (event: MatrixEvent) => Quote | undefined {
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
    const id = event.replyEventId;
    // A message of a thread points to the one before it only for clients that know no threads.
    if (!id || parts(event.getContent()["m.relates_to"])["is_falling_back"] === true) return undefined;
    const original = room.findEventById(id) ?? fetched.get(id);
    if (original) return quote(room, id, original);
    // What cannot be fetched is quoted without its words.
    if (!fetched.has(id)) fetchOne(id).catch(() => undefined);
    return { id, sender: null, text: "An earlier message" };
  };
}

function quote(room: Room, id: string, original: MatrixEvent): Quote {
  return { id, sender: personIn(room, original.getSender() ?? ""), text: bodyOf(room, original).text.slice(0, QUOTED) };
}
