/**
 * A room's current state in memory: what authorisation, sync and every read path look at. It follows the log entry by entry.
 */
import type { LogEntry } from "../log/entry.ts";

/** One state event; its content is parsed when somebody first looks at it. */
export class StateEvent {
  readonly entry: LogEntry;
  #content: Record<string, unknown> | undefined;

  constructor(entry: LogEntry) {
    this.entry = entry;
  }

  get position(): number {
    return this.entry.position;
  }
  get event_id(): string {
    return this.entry.eventId as string;
  }
  get room_id(): string {
    return this.entry.roomId as string;
  }
  get type(): string {
    return this.entry.type as string;
  }
  get sender(): string {
    return this.entry.userId as string;
  }
  get state_key(): string {
    return this.entry.stateKey as string;
  }
  get origin_server_ts(): number {
    return this.entry.ts as number;
  }
  get content(): Record<string, unknown> {
    return (this.#content ??= contentOf(this.entry));
  }
}

/** The content of an event's entry. */
export function contentOf(entry: LogEntry): Record<string, unknown> {
  return (JSON.parse(entry.body) as { content: Record<string, unknown> }).content;
}

export type Membership = "join" | "invite" | "knock" | "leave" | "ban";

export class RoomState {
  readonly roomId: string;
  readonly roomVersion: string;
  /** The position of the newest state event that is not a membership: what a send is authorised against. */
  version: number;
  /** The position of the newest state event of any kind: entries up to here are in already. */
  position: number;
  readonly #state = new Map<string, Map<string, StateEvent>>();
  readonly #memberships = new Map<string, Membership>();
  #joined = 0;
  #invited = 0;

  constructor(options: { roomId: string; roomVersion: string; version: number; state: readonly LogEntry[] }) {
    this.roomId = options.roomId;
    this.roomVersion = options.roomVersion;
    this.version = 0;
    this.position = 0;
    for (const entry of options.state) this.apply(entry);
    this.version = options.version;
  }

  get(type: string, stateKey = ""): StateEvent | undefined {
    return this.#state.get(type)?.get(stateKey);
  }

  /** All state events of a type, by their state key. */
  ofType(type: string): ReadonlyMap<string, StateEvent> {
    return this.#state.get(type) ?? new Map();
  }

  /** All current state events, memberships included. */
  *all(): IterableIterator<StateEvent> {
    for (const events of this.#state.values()) yield* events.values();
  }

  membership(userId: string): Membership | undefined {
    return this.#memberships.get(userId);
  }

  /** The position of the person's membership event, 0 where there is none: what a submission names as what it rests on. */
  memberPosition(userId: string): number {
    return this.get("m.room.member", userId)?.position ?? 0;
  }

  /** Everybody who has or had a membership. */
  memberships(): ReadonlyMap<string, Membership> {
    return this.#memberships;
  }

  *joined(): IterableIterator<string> {
    for (const [userId, membership] of this.#memberships) if (membership === "join") yield userId;
  }

  get joinedCount(): number {
    return this.#joined;
  }
  get invitedCount(): number {
    return this.#invited;
  }
  get memberCount(): number {
    return this.#memberships.size;
  }

  /** Takes the next state event of the room; older ones than it has are passed over. */
  apply(entry: LogEntry): void {
    if (entry.position <= this.position || entry.type === null || entry.stateKey === null) return;
    this.position = entry.position;
    const event = new StateEvent(entry);
    let events = this.#state.get(entry.type);
    if (!events) this.#state.set(entry.type, (events = new Map()));
    events.set(entry.stateKey, event);
    if (entry.type === "m.room.member") this.#applyMembership(entry);
    else this.version = entry.position;
  }

  /** A redaction changed the state event where it stands. */
  replace(entry: LogEntry): void {
    const events = this.#state.get(entry.type as string);
    if (events?.get(entry.stateKey as string)?.position === entry.position)
      events.set(entry.stateKey as string, new StateEvent(entry));
  }

  #applyMembership(entry: LogEntry): void {
    const user = entry.stateKey as string;
    const before = this.#memberships.get(user);
    // Parsed apart from the StateEvent, which would keep the whole content of thousands of members in memory.
    const now = contentOf(entry)["membership"] as Membership;
    this.#memberships.set(user, now);
    this.#joined += Number(now === "join") - Number(before === "join");
    this.#invited += Number(now === "invite") - Number(before === "invite");
  }
}
