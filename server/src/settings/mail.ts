/** Settings of e-mail. */
import type { Setting } from "./setting.ts";

export const mailSettings: readonly Setting[] = [
  {
    name: "SMTP_URL",
    secret: true,
    doc: "The mail server: smtp://user:password@mail.example.org:587, or smtps:// for TLS from the first byte. By default no mails are sent.",
  },
  {
    name: "PARLEY_MAIL_FROM",
    default: "Parley <parley@localhost>",
    doc: "Whom mails are from.",
  },
  {
    name: "PARLEY_REGISTRATION_EMAIL",
    default: "off",
    doc: "Whether who registers gives an e-mail address: off, optional or required.",
  },
];
