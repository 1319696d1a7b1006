/** Limits of sliding sync: see docs/protocol/sliding-sync.md. They are part of `limits` in server/src/limits.ts. */
export const slidingLimits = {
  /** What one request may hold: lists, windows of one list, subscriptions, elements of required_state, entries of a filter. */
  sliding_lists: 100,
  slidingList_ranges: 100,
  slidingSubscriptions_rooms: 1_000,
  slidingState_elements: 500,
  /** What is kept of different values of required_state. */
  slidingRequired_characters: 1_000_000,
  slidingFilter_entries: 1_000,
  slidingConnection_characters: 64,
  /** New rooms of one answer; what is left comes with the next. */
  slidingAnswer_rooms: 500,
  /** The answer repeats which rooms a list shows only where they are no more than these. */
  slidingOps_rooms: 100,
  /** Rooms of which a process knows when they last changed, and rooms in what it remembers of connections. */
  slidingOutlines_rooms: 50_000,
  slidingStates_rooms: 100_000,
  /** Rooms of the answers that a process remembers, to build the next ones on. */
  slidingFrames_rooms: 100_000,
  /** Members of which a process remembers that a connection has them. */
  slidingMembers_members: 20_000,
  /** Steps that are put together to learn what a connection has, and steps beside them that wait to be asked for. */
  slidingChain_steps: 32,
  slidingSiblings_steps: 4,
  /** Connections of one session; how long one is kept that nobody uses, how often its use is noted, how often old ones are looked for. */
  slidingConnections: 8,
  slidingIdle_ms: 30 * 86_400_000,
  slidingTouch_ms: 86_400_000,
  slidingSweep_ms: 3_600_000,
  slidingSweepSpread_ms: 600_000,
} as const;
