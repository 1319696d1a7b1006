/** E-mail, as the settings say it. */
import { type Address, isInFile, isReference, valueOf } from "../../secrets/address.ts";
import { type Env, refuse, secret, text } from "../../settings/read.ts";
import { foldAddress } from "./address.ts";

export const registrationEmails = ["off", "optional", "required"] as const;

export interface Mail {
  /** SMTP_URL: a value, a file or a reference. */
  url: Address;
  /** PARLEY_MAIL_FROM, such as `Parley <parley@example.org>`. */
  from: string;
  /** Whether who registers gives an address. */
  atRegistration: (typeof registrationEmails)[number];
}

const FIX = "set it to smtp://user:password@mail.example.org:587, or smtps:// for TLS from the first byte.";

/** Undefined where no mail server is named. Throws StartError on the first setting that is wrong. */
export function readMail(env: Env): Mail | undefined {
  const url = secret(env, "SMTP_URL");
  const from = text(env, "PARLEY_MAIL_FROM");
  if (foldAddress(/<([^<>]+)>\s*$/.exec(from)?.[1] ?? from) === undefined)
    refuse("PARLEY_MAIL_FROM", from, "set it to whom mails are from: Parley <parley@example.org>.");
  const atRegistration = text(env, "PARLEY_REGISTRATION_EMAIL") as Mail["atRegistration"];
  if (!registrationEmails.includes(atRegistration))
    refuse("PARLEY_REGISTRATION_EMAIL", atRegistration, `set it to ${registrationEmails.join(", ")}.`);
  if (url === undefined) {
    if (atRegistration !== "off")
      refuse("PARLEY_REGISTRATION_EMAIL", atRegistration, "set it to off, or set SMTP_URL too.");
    return undefined;
  }
  if (!isInFile(url) && !isReference(url)) refuseUrl(url);
  return { url, from, atRegistration };
}

function refuseUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !["smtp:", "smtps:"].includes(parsed.protocol) || parsed.hostname === "") refuse("SMTP_URL", "…", FIX);
}

/** The address of the mail server at this moment. */
export function serverOf({ url }: Mail): string {
  return valueOf(url);
}
