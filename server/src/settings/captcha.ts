/** Whether who registers freely has to show that they are no program. See auth/captcha/config.ts. */
import type { Setting } from "./setting.ts";

export const captchaSettings: readonly Setting[] = [
  {
    name: "PARLEY_RECAPTCHA_SITE_KEY",
    default: "",
    doc: "The site key of reCAPTCHA 2, which who registers without a token has to solve. By default nobody has to.",
  },
  { name: "PARLEY_RECAPTCHA_SECRET", secret: true, doc: "The secret key that belongs to it." },
  {
    name: "PARLEY_RECAPTCHA_URL",
    default: "https://www.google.com/recaptcha",
    doc: "Where reCAPTCHA is: https://www.recaptcha.net/recaptcha where people do not reach Google.",
  },
];
