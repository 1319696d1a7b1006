/** Those of the explorer; they are part of the table in ../limits.ts. */
export const explorerLimits = {
  /** Saved connections of one person; their names and fields; certificates; passwords. */
  explorerConnections: 50,
  explorerField_characters: 255,
  explorerCa_characters: 65_536,
  explorerPassword_characters: 1_024,
  /** The file of saved connections: how long a writer waits for another, how often it looks, and when the other must have ended. */
  credentialLock_ms: 5_000,
  credentialLockLook_ms: 20,
  credentialLockAbandoned_ms: 30_000,
  /** How many wrapped keys a rotation wraps anew between two looks. */
  rewrapBatch_keys: 100,
  rewrapSettle_ms: 2_000,
  /** Connections to one saved database at once, to all of them, and how long one is kept that nobody uses. */
  explorerPool_connections: 3,
  explorerPools: 100,
  explorerIdle_ms: 60_000,
  explorerConnect_ms: 5_000,
  /** A query: its text, its parameters; how long it runs and how many rows it gives, by default and at most; rows of one fetch. */
  cypher_characters: 100_000,
  cypherParameters_characters: 1_000_000,
  cypherColumns: 100,
  cypherForm_characters: 4_000,
  explorerTimeout_ms: 5_000,
  explorerTimeoutMost_ms: 60_000,
  explorerRows: 5_000,
  explorerRowsMost: 1_000_000,
  explorerFetch_rows: 200,
  /** What one run may take from the database in all, and how deep a value may be nested. */
  explorerAnswer_bytes: 64 * 1_048_576,
  agtype_levels: 100,
  /** How long a query that was told to stop may go on before its connection is cut. */
  explorerCancel_ms: 3_000,
  /** A schema: labels that are counted, and elements of each that are looked at for their properties. */
  explorerLabels: 500,
  explorerGraphs: 1_000,
  explorerSample_rows: 100,
  /** An import: rows of one statement and what is in them, rows in all, columns, one line; errors that are told; how long it may take. */
  importBatch_rows: 500,
  importBatch_characters: 4 * 1_048_576,
  import_rows: 1_000_000,
  import_columns: 200,
  importLine_characters: 1_048_576,
  importErrors: 100,
  import_ms: 600_000,
  import_bytes: 512 * 1_048_576,
} as const;
