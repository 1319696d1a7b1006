/** What a client or the server put into an event. Its values are JSON; nobody changes them after the event is made. */
export type Content = Readonly<Record<string, unknown>>;

/** An event of a room, as it stands in the log. Specification: client-server-api, "Room event format". */
export interface RoomEvent {
  readonly event_id: string;
  readonly room_id: string;
  readonly type: string;
  readonly sender: string;
  /** Present on state events only, and there it may be empty. */
  readonly state_key?: string;
  readonly content: Content;
  /** Milliseconds since 1970, by the clock of the replica that took the event. */
  readonly origin_server_ts: number;
  /** The copy of `content.redacts` that older clients look for. The rules never read it. */
  readonly redacts?: string;
}

/** An event that asks to be let into a room. Every `RoomEvent` is one too. */
export interface ProposedEvent {
  /** Absent on the `m.room.create` event of room version 12, whose event id becomes the room id; present on all others. */
  readonly room_id?: string;
  readonly type: string;
  readonly sender: string;
  readonly state_key?: string;
  readonly content: Content;
}

/**
 * The current state of one room, and all that the rules read of it. A room is linear here, so this state is also what
 * the specification calls the auth events. `get` must be cheap: the rules call it about five times for a message.
 */
export interface RoomStateView {
  get(type: string, stateKey: string): RoomEvent | undefined;
}

/** Room state that grows event by event. */
export interface StateMap extends RoomStateView {
  /** Makes a state event current; a message changes nothing. */
  set(event: RoomEvent): void;
}

/** Room state in memory, made by applying `events` in their order. */
export function stateMap(events: Iterable<RoomEvent> = []): StateMap {
  const byType = new Map<string, Map<string, RoomEvent>>();
  const state: StateMap = {
    get: (type, stateKey) => byType.get(type)?.get(stateKey),
    set(event) {
      if (event.state_key === undefined) return;
      const byKey = byType.get(event.type) ?? new Map<string, RoomEvent>();
      byType.set(event.type, byKey.set(event.state_key, event));
    },
  };
  for (const event of events) state.set(event);
  return state;
}

/** Whether a JSON value is an object, neither null nor an array. */
export function isObject(value: unknown): value is Content {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a JSON value is an integer that canonical JSON can hold. A text that looks like a number is not. */
export function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
