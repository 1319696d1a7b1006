/** Limits of application services. They are part of `limits` in server/src/limits.ts. */
export const appserviceLimits = {
  /** Registrations: how many, how large a file is, patterns in each list of namespaces, and how long one is. */
  services: 200,
  serviceFile_bytes: 65_536,
  serviceNamespaces: 100,
  serviceRegex_characters: 1_000,
  serviceProtocols: 50,
  /** Tokens may not be guessable. */
  serviceTokenLeast_characters: 16,
  /** What a pattern said of a user id, an alias or a room id, remembered for each service. */
  serviceMatches: 20_000,
  /** Users that services act as: how many are remembered, and for how long. A deactivated one may act for so long. */
  serviceActors: 20_000,
  serviceActor_ms: 30_000,
  /** How long a service has to answer: a transaction, a question that somebody waits for, a ping. */
  serviceTransaction_ms: 30_000,
  serviceQuestion_ms: 10_000,
  serviceQuestion_tries: 3,
  serviceQuestionAgain_ms: 200,
  servicePing_ms: 60_000,
  /** Users and aliases that a service said it does not know: how many are remembered, and for how long. */
  serviceUnknown: 5_000,
  serviceUnknown_ms: 5_000,
  serviceAnswer_bytes: 1_048_576,
  /** Of a wrong answer to a ping, what the service is shown; and of any failure, what operators are. */
  servicePingBody_characters: 10_000,
  serviceError_characters: 300,
  /** One transaction, and the stretch of the log that it is looked for in. */
  serviceTransaction_events: 100,
  serviceTransaction_bytes: 4_194_304,
  serviceStretch_entries: 200,
  /** Stretches that services at the same place read together. */
  serviceStretches: 8,
  serviceStretch_ms: 1_000,
  /** A worker's lease on a service, how often it is kept, and how often the others look. */
  serviceLease_ms: 15_000,
  serviceKeep_ms: 5_000,
  serviceLook_ms: 5_000,
  /** How long a worker waits for news before it looks by itself. */
  serviceIdle_ms: 5_000,
  /** From the first failure to the last: the wait doubles in between. */
  serviceRetryFirst_ms: 1_000,
  serviceRetryMost_ms: 60_000,
  /** How long a service may fail before operators are told of it. */
  serviceAway_ms: 300_000,
  /** How long an older path that a service answered at is used before the newer one is tried again. */
  serviceLegacy_ms: 3_600_000,
  /** Typing and presence that wait for a service's next transaction; the rest is dropped, since it is true for a moment only. */
  serviceMoments: 1_000,
} as const;
