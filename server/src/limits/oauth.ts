/** Limits of the OAuth 2.0 API. They are part of `limits` in server/src/limits.ts. */
export const oauthLimits = {
  /** What a client says about itself: the body, an address or a name in it, and how many redirect addresses. */
  oauthClient_bytes: 16_384,
  oauthClientText_characters: 2_048,
  oauthRedirects: 32,
  /** How long a client is kept that has no session, since it registered last. */
  oauthClientUnused_ms: 30 * 86_400_000,
  /** A form of a page of the server, and how long somebody may take to sign in and allow it. */
  oauthForm_bytes: 16_384,
  oauthInteraction_ms: 30 * 60_000,
  /** How long an authorisation code, a device code, and what was allowed live. */
  oauthCode_ms: 60_000,
  oauthDeviceCode_ms: 20 * 60_000,
  oauthGrant_ms: 60 * 60_000,
  /** How long a device code is kept after its use or end, so that who uses it again ends the session. */
  oauthKept_ms: 60 * 60_000,
  /** For how long a refresh token is good once more after the pair that came of it was made, and used. */
  oauthTwice_ms: 30_000,
  /** How often a client may ask whether its device code was allowed. */
  oauthPoll_s: 5,
  /** By how much a request of a device may overtake the one before on its way, and still not be too soon. */
  oauthPollSlack_s: 1,
  /** The longest device id that a scope may name. */
  oauthDeviceId_characters: 128,
  /** The longest life of an access token, whatever operators set: no key that signs has to be kept longer for it. */
  oauthAccessTokenMost_ms: 86_400_000,
  /** How long a browser stays signed in to the pages, and how long what was allowed there, such as new cross-signing keys, counts. */
  browserSession_ms: 12 * 3_600_000,
  oauthApproval_ms: 10 * 60_000,
  /** Keys that sign: how often each process reads them; how long one is published before it signs; when one is made; how long it stays. */
  signingKeysRead_ms: 60_000,
  signingKeysAsk_ms: 5_000,
  signingKeyPublished_ms: 60 * 60_000,
  signingKeyKept_ms: 25 * 3_600_000,
  /** How many rows of a kind are forgotten in one round, and how often there is one. */
  oauthForgotten: 5_000,
  oauthForget_ms: 60_000,
} as const;
