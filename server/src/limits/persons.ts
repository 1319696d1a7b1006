/** Limits of what is exported and erased of people. */
export const personLimits = {
  /** Records that are read for one part of an export, and how many bytes one export may have, packed, without its files. */
  exportPart_records: 500,
  export_bytes: 2 * 1024 ** 3,
  /** How long an export can be fetched; how many a person can have. */
  exportKept_ms: 7 * 24 * 3_600_000,
  exports: 5,
  /** Files that are looked for at once, for an archive and for an erasure. */
  personFiles: 50,
  /** Legal access: how far off its end may be, and the most characters of a reference to a case. */
  legalAccess_ms: 366 * 24 * 3_600_000,
  legalCase_characters: 200,
} as const;
