/** Limits of registration: tokens that administrators make, the captcha, and the policies that people accept. */
export const registrationLimits = {
  registrationToken_uses: 10_000,
  registrationToken_ms: 366 * 86_400_000,
  registrationTokenDefault_ms: 7 * 86_400_000,

  /** How long whoever checks a captcha may take to answer, its longest answer, and when it is asked again after none came. */
  captchaAnswer_ms: 10_000,
  captchaAnswer_bytes: 65_536,
  captchaRetry_ms: 10_000,
  /** Of what the widget says. */
  captchaResponse_characters: 8_192,

  policies: 20,
  /** Languages of one policy. */
  policyLanguages: 100,
  policyName_characters: 500,
  policyUrl_characters: 2_048,
  /** How many languages of a browser are looked at. */
  browserLanguages: 20,
} as const;
