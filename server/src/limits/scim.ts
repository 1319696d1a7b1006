/** Limits of provisioning by directories (SCIM 2.0). They are part of `limits` by those of single sign-on. */
export const scimLimits = {
  /** A body, the operations of one PATCH, and a text in it. */
  scimBody_bytes: 262_144,
  scim_operations: 200,
  scimText_characters: 255,
  /** How often a change is begun again that another one was faster than, and when it may be sent again after that. */
  scim_attempts: 10,
  scimRetry_ms: 1_000,
  /** People of one page, and of one where the directory does not say how many. */
  scimPage_people: 200,
  scimDefaultPage_people: 100,
  /** Tokens that there may be, and the characters of their names. */
  scimTokens: 10,
  scimTokenName_characters: 60,
  /** How old the time of its last use may be. */
  scimSeen_ms: 60_000,
  /** Refused requests that are kept, and what is kept of each. */
  scimErrors: 100,
  scimPath_characters: 200,
  scimDetail_characters: 300,
} as const;
