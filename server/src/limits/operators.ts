/** Limits of the operator API and the console. */
export const operatorLimits = {
  /** The operator API: items of a page, a cursor, a reason, and what an audit entry keeps of before and after each. */
  operatorPage_items: 500,
  operatorDefaultPage_items: 50,
  operatorCursor_characters: 2_048,
  operatorReason_characters: 1_000,
  auditChange_bytes: 32_768,
  /** Entries of the audit log that are read at once to verify or export it. */
  auditBatch_entries: 1_000,
  /** An act that began longer ago than this has been cut off: none runs so long. */
  auditOpen_ms: 900_000,
  /** Where the audit log is streamed: how often it is looked for more, what is sent at once, and how long the other end may take. */
  auditStreamLook_ms: 1_000,
  auditStream_entries: 200,
  auditStreamSend_ms: 15_000,
  auditStreamLease_ms: 30_000,
  auditStreamRetryMost_ms: 60_000,
  auditStreamError_characters: 300,
  /** How long it may fail before operators are told of it. */
  auditStreamAway_ms: 300_000,
  /** RFC 5425. */
  syslogTls_port: 6_514,
  /** The console's sessions: unused, in all, and how long a sign-in counts for what changes something. */
  consoleIdle_ms: 30 * 60_000,
  consoleSession_ms: 12 * 3_600_000,
  consoleConfirm_ms: 15 * 60_000,
  /** How old a sign-in at the server's own pages may be that the console takes for its own. */
  consoleSignIn_ms: 5 * 60_000,
  consoleSessions: 1_000,
  /** How long a ticket of the shell opens the operator API, once. */
  shellTicket_ms: 60_000,
  /** How long the shell waits for an answer to begin. */
  shellAnswer_ms: 600_000,
  /** How long a link is good by which somebody sets a password; accounts or devices of one bulk act; devices looked at for one page. */
  signInLink_ms: 72 * 3_600_000,
  bulk_items: 100,
  devicesScan_devices: 5_000,
} as const;
