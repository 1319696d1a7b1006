/** Limits of the access graph. */
export const graphLimits = {
  /** Who keeps the projection, for how long without a sign of life. */
  graphLease_ms: 30_000,
  /** Positions of the log that one look goes through, and what of them one transaction writes. */
  graphSpan_positions: 50_000,
  graphStretch_entries: 4_000,
  /** Between two stretches while it catches up, and between two looks when it has. */
  graphBreath_ms: 50,
  graphPause_ms: 1_000,
  /** Rows that one statement brings into Apache AGE, and how many times as long as a try took that failed the next one waits. */
  graphMirrorPage: 5_000,
  graphMirrorRest: 10,
  /** How often all accounts and devices are looked through: in multiples of how long that took, within bounds; and how many at once. */
  graphAccounts_ms: 60_000,
  graphAccountsRest: 200,
  graphAccountsMost_ms: 900_000,
  graphAccounts: 1_000,
  /** How often those who are new or were just seen are, and how far before the look before. */
  graphRecent_ms: 5_000,
  graphOverlap_ms: 10_000,
  /** What one answer has at the most: nodes of its picture, edges of it, and rows of its table. */
  graphPicture_nodes: 300,
  graphPicture_edges: 1_200,
  graphTable_rows: 1_000,
  /** What a picker offers. */
  graphFound: 20,
  /** Unseen for so long, a device counts as stale. */
  graphStale_days: 90,
  graphStaleMost_days: 3_650,
  /** How long a projection may be behind before its answers are called stale. */
  graphBehind_ms: 60_000,
} as const;
