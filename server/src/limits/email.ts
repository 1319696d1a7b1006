/** Limits of e-mail. */
export const emailLimits = {
  /** How long a link in a mail is good, and how long what it proved counts after it was opened. */
  emailLink_ms: 24 * 3_600_000,
  emailProof_ms: 24 * 3_600_000,
  /** Of an address (RFC 5321), and addresses of one person. */
  emailAddress_characters: 254,
  emailAddresses: 10,
  /** How long the mail server may take to answer. */
  mailAnswer_ms: 20_000,
  /** The longest address that a page leads to. */
  nextLink_characters: 2_000,
} as const;
