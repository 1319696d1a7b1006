/** A client that follows the log through a socket: who it is, what it asked for, and how far it has been told. */
import type { Session } from "../http.ts";
import { compileFilter, type CompiledFilter } from "../sync/filter.ts";
import type { SetPresence } from "../sync/online.ts";
import type { Ask, StateSection } from "../sync/run.ts";
import type { RoomState } from "../rooms/state.ts";
import type { Closing } from "./closing.ts";
import type { Outlet, Stand } from "./outlet.ts";

/**
 * backfill  it is told, answer by answer, what came after its token
 * stream    it has been told everything up to the last round, and takes part in the next one
 * over      the connection ends
 * Between the first two is the cut-over, which is one step without waiting: see phases.ts.
 */
export type Phase = "backfill" | "stream" | "over";

export interface Follower {
  readonly session: Session;
  /** Where the client is. */
  readonly address: string;
  readonly filter: CompiledFilter;
  readonly stateSection: StateSection;
  /** The filter leaves the events of a room as they are, so that what is encoded for everybody fits this client too. */
  readonly takesShared: boolean;
  readonly outlet: Outlet;
  phase: Phase;
  /** What it has been told. In the phase `stream` it may stand further: whatever came up to the last round was not for it. */
  stand: Stand;
  /** The next answer tells the client everything. */
  isFirst: boolean;
  /** It came with what it had been told of another history. */
  readonly startsOver: boolean;
  fullState: boolean;
  /** Frames were dropped: the next answer says so. */
  resync: boolean;
  presence: SetPresence | undefined;
  ignored: ReadonlySet<string>;
  /** Leaves the phase `stream`. */
  leave: (() => void) | null;
  /** It gets a heartbeat as soon as it takes part in the rounds. */
  isOwedHead: boolean;
  /** When the client was last heard, and told where it stands, on the monotonic clock. */
  heard_ms: number;
  toldAt_ms: number;
  /** When its session was last noted as seen, on the same clock. */
  seenAt_ms: number;
  /** What the present round has for it. */
  rooms: RoomState[];
  people: string[];
  /** To be called when it has been told everything for the first time, or is over; not kept after that. */
  onLevel: (() => void) | null;
  /** Sends the closing frame and closes the socket. */
  close(closing: Closing): void;
}

/** What a sign-in brings along. */
export interface Arrival {
  session: Session;
  filter: CompiledFilter;
  stateSection: StateSection;
  fullState: boolean;
  since: Stand | undefined;
  /** Its token is of another history. */
  startsOver: boolean;
  presence: SetPresence | undefined;
}

export interface FollowerOptions {
  outlet: Outlet;
  address: string;
  now_ms: number;
  onLevel(): void;
  close(closing: Closing): void;
}

const nobody: ReadonlySet<string> = new Set();
const open = compileFilter({});

/** The follower of a connection that has just signed in. */
export function createFollower(
  arrival: Arrival,
  { outlet, address, now_ms, onLevel, close }: FollowerOptions,
): Follower {
  const { session, filter, stateSection, fullState, since, startsOver, presence } = arrival;
  return {
    session,
    address,
    filter,
    stateSection,
    takesShared: takesShared(filter),
    outlet,
    phase: "backfill",
    stand: { position: since?.position ?? 0, ephemeral: since?.ephemeral ?? 0 },
    isFirst: since === undefined,
    startsOver,
    fullState,
    resync: false,
    presence,
    ignored: nobody,
    leave: null,
    isOwedHead: true,
    heard_ms: now_ms,
    toldAt_ms: now_ms,
    seenAt_ms: now_ms,
    rooms: [],
    people: [],
    onLevel,
    close,
  };
}

function takesShared({ timeline, ephemeral, presence, state, project, wantsRoom }: CompiledFilter): boolean {
  const isWhole = !timeline.matches && !ephemeral.matches && !presence.matches;
  return isWhole && !state.includeRedundantMembers && project === open.project && wantsRoom === open.wantsRoom;
}

/** What the follower asks for next, as a request to /sync would. */
export function askOf({ session, filter, fullState, stateSection, isFirst, startsOver, stand }: Follower): Ask {
  return {
    session,
    filter,
    fullState,
    stateSection,
    timeout_ms: 0,
    isFirst,
    startsOver: isFirst && startsOver,
    since: stand.position,
    seen: stand.ephemeral,
  };
}
