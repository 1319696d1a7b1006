/** Limits of delayed events. They are part of `limits` in server/src/limits.ts. */
export const delayedLimits = {
  /** How far ahead an event can be scheduled, and how many one person may have waiting. */
  delayed_ms: 86_400_000,
  delayed_events: 100,
  /** How often it is looked whether any are due where nobody has said so, and how many one worker takes at a time. */
  delayedLook_ms: 10_000,
  delayedRetry_ms: 1_000,
  delayedBatch_events: 100,
  /** A worker that takes longer is taken for dead, and others send what it had. */
  delayedClaim_ms: 30_000,
} as const;
