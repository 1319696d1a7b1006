/** Sends mails through the SMTP server of the settings. Nothing is kept: a mail that can not be sent is asked for again. */
import type { Transporter } from "nodemailer";
import type { Context } from "../../context.ts";
import { asError, matrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { type Mail, serverOf } from "./config.ts";

export interface Letter {
  to: string;
  subject: string;
  /** In lines; the same is sent as HTML, with its addresses as links. */
  text: string;
}

/** What was made for an address of a server: it changes with the file that it is in. */
const transports = new WeakMap<Mail, { url: string; transport: Transporter }>();

/** Loaded when the first mail is sent. */
export async function transportFor(mail: Mail): Promise<Transporter> {
  const url = serverOf(mail);
  const known = transports.get(mail);
  if (known?.url === url) return known.transport;
  known?.transport.close();
  const { createTransport } = await import("nodemailer");
  const patience = limits.mailAnswer_ms;
  const times = { connectionTimeout: patience, greetingTimeout: patience, socketTimeout: patience };
  const transport = createTransport({ url, ...times, disableFileAccess: true, disableUrlAccess: true });
  transports.set(mail, { url, transport });
  return transport;
}

/** Resolves when the mail server has taken it. Throws IO_PARLEY_UNAVAILABLE where it does not. */
export async function sendLetter(
  ctx: Pick<Context, "logger">,
  mail: Mail,
  { to, subject, text }: Letter,
): Promise<void> {
  try {
    const transport = await transportFor(mail);
    // An object: a text would be taken apart as a list of addresses.
    await transport.sendMail({ from: mail.from, to: { name: "", address: to }, subject, text, html: htmlOf(text) });
  } catch (thrown) {
    // What a mail server says may have the address, and its own name and user.
    ctx.logger.warn(
      { code: (thrown as { code?: string }).code, reason: asError(thrown).name },
      "a mail could not be sent",
    );
    throw matrixError("IO_PARLEY_UNAVAILABLE", "The mail could not be sent. Try again in a few minutes.");
  }
}

function htmlOf(text: string): string {
  const escaped = text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  const linked = escaped.replaceAll(/https?:\/\/[^\s]+/g, (url) => `<a href="${url}">${url}</a>`);
  const paragraphs = linked.split("\n\n").map((each) => `<p>${each.replaceAll("\n", "<br>")}</p>`);
  return `<!doctype html><html lang="en"><body style="font-family: sans-serif; line-height: 1.5">${paragraphs.join("\n")}</body></html>`;
}
