import { scimLimits } from "./scim.ts";

/** Limits of upstream single sign-on. They are part of `limits` in server/src/limits.ts. */
export const ssoLimits = {
  ...scimLimits,
  /** How many providers there may be, and how long a text in their description is. */
  ssoProviders: 20,
  ssoText_characters: 2_048,
  /** How long a person may be with the provider, and on the page on which they say something too. */
  ssoStep_ms: 30 * 60_000,
  /** How long a provider may take to answer, and the longest answer. */
  ssoAnswer_ms: 10_000,
  ssoAnswer_bytes: 524_288,
  /** How much of what a provider says stands in a sentence to an operator. */
  ssoQuoted_characters: 200,
  /** How long what a provider says of itself is believed. */
  ssoDiscovery_ms: 60 * 60_000,
  /** The longest subject of an id token, or `sid`. */
  ssoSubject_characters: 1_000,
  /** How old a logout token may be, and how far the provider's clock may be ahead; how long one that was used is remembered. */
  ssoLogout_ms: 10 * 60_000,
  ssoSkew_s: 60,
  ssoLogoutKept_ms: 60 * 60_000,
  ssoLogout_bytes: 65_536,
  /** How long a sign-in of which nothing is left is remembered. */
  ssoLogin_ms: 2 * 86_400_000,
} as const;
