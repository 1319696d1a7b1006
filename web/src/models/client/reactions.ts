import { EventType, type MatrixEvent, RelationType, type Room } from "matrix-js-sdk";
import type { Reaction } from "../timeline/item.ts";
import { personIn } from "./person.ts";

/** A key longer than this is no emoji and no word, but an attempt to fill the screen. */
const KEY_LIMIT = 40;
const NAMED = 10;

/** The reactions to an event by their key, the most used first. */
export function reactionsOf(room: Room, id: string, me: string): Reaction[] {
  return annotations(room, id).flatMap(([key, events]) => {
    const senders = [...new Set(events.map((event) => event.getSender() ?? ""))];
    if (senders.length === 0 || typeof key !== "string" || key.length > KEY_LIMIT) return [];
    const names = senders.slice(0, NAMED).map((sender) => (sender === me ? "You" : personIn(room, sender).name));
    return [{ key, count: senders.length, names, mine: senders.includes(me) }];
  });
}

/** The own reaction with this key, to take it away again. */
export function ownReaction(room: Room, id: string, own: { me: string; key: string }): MatrixEvent | undefined {
  const found = annotations(room, id).find(([key]) => key === own.key);
  return found?.[1].find((event) => event.getSender() === own.me);
}

function annotations(room: Room, id: string): [key: string, events: MatrixEvent[]][] {
  const relations = room.relations.getChildEventsForEvent(id, RelationType.Annotation, EventType.Reaction);
  const sorted = relations?.getSortedAnnotationsByKey() ?? [];
  return sorted.map(([key, events]) => [key, [...events].filter((event) => !event.isRedacted())]);
}
