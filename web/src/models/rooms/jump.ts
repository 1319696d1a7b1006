import type { RoomEntry } from "./entry.ts";

/** Everything that the quick switcher can go to. */
export interface Destination {
  kind: "room" | "command";
  id: string;
  name: string;
  detail: string;
  room?: RoomEntry;
}

export interface Command {
  id: string;
  name: string;
}

const SHOWN = 10;

/**
 * What the switcher lists for a term. Without one: the ten last active rooms, unread first. `#` keeps channels, `@`
 * people, `>` commands. Matches are ranked: the beginning of the name, of a word, then letters in order.
 */
export function destinations(rooms: RoomEntry[], commands: Command[], term: string): Destination[] {
  const sign = /^[#@>]/.exec(term)?.[0] ?? "";
  const wanted = term.slice(sign.length).trim().toLowerCase();
  const shown = rooms.filter((room) => room.membership === "join" && fitsSign(room, sign)).map(ofRoom);
  const listed = sign === ">" ? commands.map(ofCommand) : shown;
  if (wanted === "") return sign === ">" ? listed : recent(listed).slice(0, SHOWN);
  const pool = sign === "" ? [...shown, ...commands.map(ofCommand)] : listed;
  return pool
    .flatMap((destination) => {
      const score = scoreOf(destination.name.toLowerCase(), wanted);
      return score === null ? [] : [{ destination, score: score + (destination.kind === "command" ? 0.5 : 0) }];
    })
    .toSorted((a, b) => a.score - b.score || activity(b.destination) - activity(a.destination))
    .slice(0, SHOWN)
    .map(({ destination }) => destination);
}

/** How well a name fits, smaller is better; null when it does not. */
export function scoreOf(name: string, term: string): number | null {
  if (name === term) return 0;
  if (name.startsWith(term)) return 1;
  if (name.split(/[\s._-]+/).some((word) => word.startsWith(term))) return 2;
  if (name.includes(term)) return 3;
  return inOrder(name, term) ? 4 : null;
}

function inOrder(name: string, term: string): boolean {
  let at = 0;
  for (const letter of name) if (letter === term[at]) at += 1;
  return at >= term.length;
}

function fitsSign(room: RoomEntry, sign: string): boolean {
  if (sign === "#") return room.kind !== "direct";
  return sign === "@" ? room.kind === "direct" : true;
}

function recent(list: Destination[]): Destination[] {
  const unread = (destination: Destination) => (destination.room?.unread && !destination.room.muted ? 1 : 0);
  return list.toSorted((a, b) => unread(b) - unread(a) || activity(b) - activity(a));
}

function activity(destination: Destination): number {
  return destination.room?.lastActive_ms ?? 0;
}

function ofRoom(room: RoomEntry): Destination {
  return { kind: "room", id: room.id, name: room.name, detail: room.peer ?? "", room };
}

function ofCommand(command: Command): Destination {
  return { kind: "command", id: command.id, name: command.name, detail: "" };
}
