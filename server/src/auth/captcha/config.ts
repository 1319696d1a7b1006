/** reCAPTCHA, as the settings say it. Specification: client-server-api, "Google ReCaptcha". */
import { type Allowed, readAllowed } from "../../outward/guard.ts";
import type { Address } from "../../secrets/address.ts";
import { type Env, refuse, secret, text } from "../../settings/read.ts";

const [SITE_KEY, SECRET, URL_OF_IT] = ["PARLEY_RECAPTCHA_SITE_KEY", "PARLEY_RECAPTCHA_SECRET", "PARLEY_RECAPTCHA_URL"];

export interface Captcha {
  /** What pages and clients show the widget with. */
  siteKey: string;
  secret: Address;
  /** The address below which the widget (`/api.js`) and the verifier (`/api/siteverify`) are, without a slash at its end. */
  base: string;
  /** Where the verifier may be besides the public internet: whoever names it allows its host. */
  hosts: Allowed;
}

/** Undefined where none is set up. Throws StartError where a setting is wrong, or one of the two keys is missing. */
export function readCaptcha(env: Env): Captcha | undefined {
  const siteKey = text(env, SITE_KEY);
  const secretKey = secret(env, SECRET);
  const { base, hosts } = place(text(env, URL_OF_IT));
  if (siteKey === "" && secretKey === undefined) return undefined;
  if (secretKey === undefined)
    refuse(SITE_KEY, siteKey, `set it to nothing, or ${SECRET} to the secret that belongs to it.`);
  if (siteKey === "") refuse(SECRET, "", `set it to nothing, or ${SITE_KEY} to the key that belongs to it.`);
  if (!/^[\w-]{1,200}$/.test(siteKey)) refuse(SITE_KEY, siteKey, "set it to the key: letters, digits, - and _.");
  return { siteKey, secret: secretKey, base, hosts };
}

/** It stands in a policy of content, where a comma or a semicolon would end what it is. */
function place(written: string): Pick<Captcha, "base" | "hosts"> {
  const url = /^https?:\/\/[\w.:[\]-]+(\/[\w./~-]*)?$/.test(written) ? URL.parse(written) : null;
  if (!url) return refuse(URL_OF_IT, written, "set it to an address such as https://www.recaptcha.net/recaptcha.");
  return { base: url.href.replace(/\/+$/, ""), hosts: readAllowed(url.port === "" ? url.hostname : url.host) };
}
