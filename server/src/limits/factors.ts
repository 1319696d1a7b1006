/** Limits of passkeys and second factors. They are part of `limits` in server/src/limits.ts. */
export const factorLimits = {
  /** Passkeys of one account, and what a person may call one. */
  passkeys: 20,
  passkeyName_characters: 64,
  /** What an authenticator answers, as JSON: without an attestation it is some hundred bytes. */
  passkeyAnswer_characters: 12_000,
  /** How long a passkey may take, and how long somebody may take to type the code after the password. */
  passkeyChallenge_ms: 10 * 60_000,
  halfSignIn_ms: 10 * 60_000,
  /** Of a code as it is typed, with spaces. */
  factorCode_characters: 64,
  recoveryCodes: 10,
  /** How many secrets are wrapped anew at a time. */
  totpRewrap_rows: 500,
} as const;
