/** Limits of the stream: see docs/protocol/stream.md. They are part of `limits` in server/src/limits.ts. */
export const streamLimits = {
  /** The stream: connections of the process, of one person, and those of one address and in all that have not signed in yet. */
  stream_connections: 20_000,
  streamsPerUser_connections: 50,
  streamSignInPerAddress_connections: 100,
  streamSignIn_connections: 2_000,
  streamSignIn_ms: 10_000,
  /** How many sign in and are told what they missed at the same time, and for how long one of them keeps others waiting. */
  streamTurns: 64,
  streamTurn_ms: 2_000,
  streamTicket_ms: 30_000,
  /** The largest frame that a client may send: the largest event has room in it, however it is written. */
  streamFrame_bytes: 131_072,
  /** Sends of one connection that are on their way into the log, and how large their frames are together, before it is read on. */
  streamSends: 256,
  streamSends_bytes: 1_048_576,
  /** How often a client that sends counts as having been seen. */
  streamNote_ms: 5_000,
  /** How often an open stream counts as a use of its session: sessions that are not used end after days at the least. */
  streamSeen_ms: 300_000,
  /** What may wait for a socket that does not take it, beside the frame that it is taking. */
  streamKept_bytes: 1_048_576,
  /** The same for all sockets of the process together. */
  streamsKept_bytes: 256 * 1_048_576,
  /** How long a socket may take nothing, and how long a client may say nothing. */
  streamStuck_ms: 60_000,
  streamSilence_ms: 90_000,
  streamHeartbeat_ms: 25_000,
  /** How long a process that does not hear the log keeps its streams: a session may have ended that it does not know of. */
  streamBlind_ms: 20_000,
  /** How often heartbeats that are due are sent, and connections looked for that are dead. */
  streamSweep_ms: 1_000,
  /** What comes within this time goes out together. */
  streamTick_ms: 10,
  /** The most that a round waits for because the last one took long. */
  streamRest_ms: 100,
  /** How many events of a room one round tells to all its members; more are told to each, as far as its filter wants them. */
  streamRound_events: 2_000,
  /** How long after a failure here a client comes back: at least, and at most so much more. */
  streamRetry_ms: 1_000,
  streamRetrySpread_ms: 9_000,
  /** At the stop: how many are sent away together, how far apart, and over which time they come back, for each connection and at most. */
  streamDrain_connections: 500,
  streamDrain_ms: 50,
  streamReturn_ms: 3,
  streamReturnLeast_ms: 1_000,
  streamReturnMost_ms: 30_000,
  /** How long a socket may take to close. */
  streamClose_ms: 2_000,
} as const;
