/** Limits of jobs, and of what they delete. */
export const jobLimits = {
  /** Jobs: how long a worker has one without a sign of life, how often the others look, how many one process works on. */
  jobLease_ms: 30_000,
  jobsPoll_ms: 2_000,
  jobsAtOnce: 2,
  jobRetry_ms: 5_000,
  job_failures: 5,
  /** Messages of a queue that could not be done and are put back at once. */
  deadRetried_messages: 1_000,
  /** How long jobs and imports that are over are kept, how often old ones are looked for, and how many rows go at once. */
  finishedKept_ms: 90 * 86_400_000,
  finishedLook_ms: 3_600_000,
  finished_rows: 1_000,
  /** Events that leave the log together, while appends wait; how long they are let through; and those that are looked at at once. */
  removal_events: 200,
  removalPause_ms: 20,
  removalScan_events: 2_000,
  /** How long it is kept what told the processes of a removal. */
  removalKept_ms: 86_400_000,
  /** Imports of people and channels: the largest file, its rows, and those that one step does. */
  /** How much of a file is read before everybody else has a turn. */
  importTurn_items: 200,
  importTurn_bytes: 65_536,
  importsBody_bytes: 32 * 1_048_576,
  imports_rows: 100_000,
  importStep_rows: 20,
  /** Retention: rooms that are looked up together, how long after a run the next one is due, and how often that is looked at. */
  retentionStep_rooms: 200,
  retentionRun_ms: 23.5 * 3_600_000,
  retentionLook_ms: 600_000,
  /** Files that one step of a job deletes, entries that it looks through for files, and members that it takes out of a room. */
  mediaDelete_files: 100,
  mediaScan_entries: 5_000,
  shutdown_members: 100,
  /** A transfer of rooms: those that one step does, those that are counted before it, and those that are named as ones that can not be changed. */
  transferStep_rooms: 20,
  transferCount_rooms: 2_000,
  transferNamed_rooms: 20,
  /** How far the events of a room are counted in a list. */
  roomCount_events: 10_000,
} as const;
