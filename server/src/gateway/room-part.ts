/**
 * What a round has of one room, encoded once for all of its members that are told the same. It is the room's part of an
 * incremental /sync up to the unread counts, which are each member's own.
 */
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { isOwnReceipt, type LogEntry } from "../log/entry.ts";
import { clientEvent } from "../messages/client-event.ts";
import type { RoomState } from "../rooms/state.ts";
import { receiptEvents } from "../sync/receipts.ts";
import { type StateSection, tokenAt } from "../sync/run.ts";

export interface RoomPart {
  /** Of this round no other part has it. */
  name: string;
  /** The beginning of the room's object, without the brace that ends it; encoded at the first call. */
  json(): Buffer;
  events: number;
  /** By sender: the position of their membership, which a client that loads members lazily must have. */
  senders: ReadonlyMap<string, number>;
  /** The memberships of the senders, where they are told with it. */
  members: readonly LogEntry[];
  /** Sessions that sent one of the events: they get their transaction ids with them. */
  sessions: ReadonlySet<number>;
  /** Whose receipts are among the news: their unread counts change with them. */
  readers: ReadonlySet<string>;
  /** The same news for somebody who is told more of them. */
  fitted(fit: Fit): RoomPart;
}

export interface RoomStretch {
  since: number;
  seen: number;
  stateSection: StateSection;
}

/** What goes beyond what all members are told alike. */
export interface Fit {
  /** A session that sent one of the events gets its transaction ids with them, in a part of its own. */
  sessionId?: number;
  /** For clients that load members lazily and do not have all of these: the memberships of the senders come along. */
  withMembers: boolean;
}

/** The part for members who stand at `since`; "own" where it has something that can not be told to all alike; undefined for none. */
export function roomPart(
  ctx: Context,
  room: RoomState,
  { since, seen, stateSection }: RoomStretch,
): RoomPart | "own" | undefined {
  const entries = ctx.log.tail.ofRoom(room.roomId, since);
  const events: LogEntry[] = [];
  const receipts: LogEntry[] = [];
  for (const entry of entries) {
    if (entry.kind === "event") events.push(entry);
    else if (entry.kind === "receipt" && !isOwnReceipt(entry)) receipts.push(entry);
  }
  if (events.length > limits.streamRound_events || events.some((event) => event.stateKey !== null)) return "own";
  const ephemeral = ephemeralOf(ctx, room, { receipts, seen });
  if (events.length === 0 && ephemeral.length === 0) return undefined;
  const told = {
    events: events.length,
    senders: new Map(events.map(({ userId }) => [userId as string, room.memberPosition(userId as string)])),
    sessions: new Set(events.filter(({ txnId }) => txnId !== null).map(({ sessionId }) => sessionId as number)),
    readers: new Set(receipts.map(({ userId }) => userId as string)),
  };
  let forLazy: RoomPart | undefined;

  function fitted(fit: Fit): RoomPart {
    if (!fit.withMembers || fit.sessionId !== undefined) return make(fit);
    return (forLazy ??= make(fit));
  }

  function make({ sessionId, withMembers }: Fit): RoomPart {
    const members = withMembers ? membersOf(room, told.senders.keys()) : [];
    let json: Buffer | undefined;
    const encode = () =>
      Buffer.from(roomJson(ctx, room, { events, ephemeral, members, since, stateSection, sessionId }));
    const name = `${room.roomId} ${since} ${seen} ${stateSection} ${sessionId} ${withMembers}`;
    return { ...told, name, members, json: () => (json ??= encode()), fitted };
  }

  return make({ withMembers: false });
}

function membersOf(room: RoomState, senders: Iterable<string>): LogEntry[] {
  return [...senders].flatMap((sender) => room.get("m.room.member", sender)?.entry ?? []);
}

function ephemeralOf(
  { ephemeral }: Context,
  { roomId }: RoomState,
  { receipts, seen }: { receipts: readonly LogEntry[]; seen: number },
): string[] {
  const events = receiptEvents(receipts);
  const typing = ephemeral.typing(roomId);
  if (typing && typing.changed > seen)
    events.push(JSON.stringify({ type: "m.typing", content: { user_ids: typing.users } }));
  return events;
}

interface RoomNews {
  events: readonly LogEntry[];
  ephemeral: readonly string[];
  members: readonly LogEntry[];
  since: number;
  stateSection: StateSection;
  sessionId: number | undefined;
}

function roomJson(
  ctx: Context,
  { roomId }: RoomState,
  { events, ephemeral, members, since, stateSection, sessionId }: RoomNews,
): string {
  const reader = { membership: "join" as const, ...(sessionId === undefined ? {} : { sessionId }) };
  const texts = events.map((event) => clientEvent(event, reader));
  const from = events[0] ? events[0].position - 1 : since;
  const timeline = `"timeline":{"events":[${texts.join(",")}],"limited":false,"prev_batch":"${tokenAt(ctx, from)}"}`;
  const state = `"${stateSection}":{"events":[${members.map((member) => clientEvent(member)).join(",")}]}`;
  return `${JSON.stringify(roomId)}:{${timeline},${state},"ephemeral":{"events":[${ephemeral.join(",")}]}`;
}
