/**
 * Lazy loading: of the memberships, a client gets those of the people who speak in the timeline, of those after whom a room
 * without a name is called, its own, and those that changed in a gap; and each only once, as far as this process remembers.
 * Specification: "Lazy-loading room members".
 */
import type { LogEntry } from "../log/entry.ts";
import type { RoomState } from "../rooms/state.ts";
import type { Run, SyncParts } from "./run.ts";
import { heroesOf } from "./summary.ts";

interface MembersOptions {
  /** The state that a client which loads everything would get. */
  state: readonly LogEntry[];
  timeline: { events: readonly LogEntry[]; limited: boolean };
  isNew: boolean;
  /** Where the timeline ends: what came after is not told. */
  end: number;
}

/** The state to tell a client that loads members lazily. */
export function membersForTimeline(run: Run, room: RoomState, options: MembersOptions): LogEntry[] {
  const { state, timeline, isNew, end } = options;
  const { ask } = run;
  const { userId } = ask.session;
  const isWhole = isNew || ask.fullState;
  const wanted = new Set(timeline.events.map((event) => event.userId as string));
  if (isWhole) wanted.add(userId);
  const isMember = (event: LogEntry) => event.type === "m.room.member";
  // Who asks for the state after the timeline takes none from the timeline itself, such as an invitation.
  if (ask.stateSection !== "state")
    for (const event of timeline.events.filter(isMember)) wanted.add(event.stateKey as string);
  // Whoever the summary names, where it is told.
  if (isWhole || timeline.limited || timeline.events.some(isMember) || state.some(isMember))
    for (const hero of heroesOf(room, userId)) wanted.add(hero);
  const told = new Set<string>();
  const events = state.filter((event) => {
    if (!isMember(event)) return true;
    // In a gap every change of a membership is told: the client may have seen the old one.
    const isTold = !isWhole || wanted.has(event.stateKey as string);
    if (isTold) told.add(event.stateKey as string);
    return isTold;
  });
  const shownHere = new Set(timeline.events.filter(isMember).map((event) => event.stateKey));
  for (const speaker of wanted) {
    const member = room.get("m.room.member", speaker)?.entry;
    if (
      !member ||
      member.position > end ||
      told.has(speaker) ||
      shownHere.has(speaker) ||
      isKnown(run, room.roomId, member)
    )
      continue;
    events.push(member);
  }
  for (const event of events) if (isMember(event)) rememberMember(run.parts, ask.session.id, event);
  return events;
}

function isKnown({ parts, ask }: Run, roomId: string, member: LogEntry): boolean {
  if (ask.filter.state.includeRedundantMembers || ask.isFirst) return false;
  return (
    parts.lazyMembers
      .get(ask.session.id)
      ?.get(roomId)
      ?.get(member.stateKey as string) === member.position
  );
}

/** Notes that the session's client has this membership. */
export function rememberMember({ lazyMembers }: SyncParts, sessionId: number, member: LogEntry): void {
  const roomId = member.roomId as string;
  let rooms = lazyMembers.get(sessionId);
  if (!rooms) lazyMembers.set(sessionId, (rooms = new Map()));
  let members = rooms.get(roomId);
  if (!members) rooms.set(roomId, (members = new Map()));
  members.set(member.stateKey as string, member.position);
}
