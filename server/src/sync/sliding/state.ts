/**
 * What a connection's client has been sent, room by room. It is a map that is never changed: each answer makes the next one, and what
 * differs between the two is a step, which connections.ts keeps.
 */
import { requiredState, type RequiredState } from "./required-state.ts";

/** In place of a position: everything up to that of the token. */
export const LIVE = -1;
/** In place of a position: nothing. */
export const NEVER = -2;

/** What the client has of one room. Each of the positions says up to where it was told that part of the room. */
export interface SentRoom {
  /** Timeline and state. */
  events: number;
  accountData: number;
  receipts: number;
  /** How much of timeline and state was asked for when it was told. */
  limit: number;
  state: RequiredState;
  isDirect: boolean;
}

export type ConnectionState = ReadonlyMap<string, SentRoom>;
/** What an answer changes; null: the client needs to know nothing of the room any more. */
export type StateChange = ReadonlyMap<string, SentRoom | null>;

export const NOTHING_SENT: ConnectionState = new Map();

/** Up to where the client was told a part; undefined where it was never. `since` is the position of its token. */
export function toldUpTo(position: number | undefined, since: number): number | undefined {
  if (position === undefined || position === NEVER) return undefined;
  return position === LIVE ? since : position;
}

export function applied(state: ConnectionState, change: StateChange): ConnectionState {
  if (change.size === 0) return state;
  const next = new Map(state);
  for (const [roomId, sent] of change)
    if (sent === null) next.delete(roomId);
    else next.set(roomId, sent);
  return next;
}

type RoomText = [events: number, accountData: number, receipts: number, limit: number, state: number, isDirect: 0 | 1];

interface ChangeText {
  /** What rooms name by its number. */
  states: RequiredState["pairs"][];
  rooms: Record<string, RoomText | null>;
}

/** The change as text. */
export function encodeChange(change: Iterable<readonly [string, SentRoom | null]>): string {
  const numbers = new Map<RequiredState, number>();
  const numberOf = (state: RequiredState): number => {
    if (!numbers.has(state)) numbers.set(state, numbers.size);
    return numbers.get(state) as number;
  };
  const rooms: ChangeText["rooms"] = {};
  for (const [roomId, sent] of change)
    rooms[roomId] = sent && [
      sent.events,
      sent.accountData,
      sent.receipts,
      sent.limit,
      numberOf(sent.state),
      sent.isDirect ? 1 : 0,
    ];
  return JSON.stringify({ states: [...numbers.keys()].map(({ pairs }) => pairs), rooms } satisfies ChangeText);
}

/** The change that `encodeChange` wrote. */
export function decodeChange(text: string): StateChange {
  const { states, rooms } = JSON.parse(text) as ChangeText;
  const required = states.map((pairs) => requiredState(pairs));
  const sentOf = (room: RoomText): SentRoom => ({
    events: room[0],
    accountData: room[1],
    receipts: room[2],
    limit: room[3],
    state: required[room[4]] as RequiredState,
    isDirect: room[5] === 1,
  });
  return new Map(Object.entries(rooms).map(([roomId, room]) => [roomId, room && sentOf(room)]));
}
