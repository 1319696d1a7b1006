/**
 * The page on which somebody proves an e-mail address for a client that does not ask for it itself: it takes the address, sends the mail as
 * `requestToken` does, and waits until the link in it was confirmed. Specification: client-server-api, "Fallback". What it shows:
 *   ask       no mail was sent, its link is no longer good, or the person wants another address
 *   wait      the link is not confirmed yet; a script looks again by itself, and without it there is a button
 *   done      the stage is complete, however often the page is opened
 */
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import type { Answer } from "../../http.ts";
import { limits } from "../../limits.ts";
import { paths } from "../oauth/addresses.ts";
import type { Form } from "../oauth/forms.ts";
import { donePage } from "../oauth/pages/done.ts";
import { hidden } from "../oauth/pages/fields.ts";
import { fileAt } from "../oauth/pages/file.ts";
import { type Html, html, page, problem, redirect, type Refusal, refusalOf } from "../oauth/pages/page.ts";
import { askForMail } from "./ask.ts";
import type { Mail } from "./config.ts";
import { linkMail, type MailWaiting, readMailWaiting } from "./stage.ts";
import type { Purpose } from "./validations.ts";

const PATH = "/_matrix/client/v3/auth/m.login.email.identity/fallback/web";

/** What the person has pressed on the page that waits. */
const STEPS = { look: "look", other: "other" } as const;

interface Asking {
  session: string;
  step?: string | undefined;
  /** What was sent, and why it was refused. */
  email?: string;
  refusal?: Refusal;
}

/** The request that waits, and the mail server. Throws M_NOT_FOUND where there is no such request, or nobody's address is asked for. */
async function requireMailWaiting(ctx: Context, session: string): Promise<{ waiting: MailWaiting; mail: Mail }> {
  const { mail } = ctx.config;
  if (!mail) throw matrixError("M_NOT_FOUND", "There is no page for this stage: this server sends no mails.");
  const waiting = await readMailWaiting(ctx, session);
  if (!waiting) throw matrixError("M_NOT_FOUND", "Nothing waits for you here any more. Go back to the application.");
  if (waiting.purpose === "register" && mail.atRegistration === "off")
    throw matrixError("M_NOT_FOUND", "There is no page for this stage: an account here is made without an address.");
  return { waiting, mail };
}

export async function showMailStage(ctx: Context, asking: Asking): Promise<Answer> {
  const { waiting } = await requireMailWaiting(ctx, asking.session);
  if (waiting.isDone) return donePage(ctx);
  const { mail } = waiting;
  if (mail?.isGood && asking.step !== STEPS.other && asking.email === undefined)
    return waitPage(ctx, { ...asking, mail });
  return askPage(ctx, asking, waiting);
}

/** What was sent: an address. A form that is sent twice sends one mail. */
export async function sendStageMail(ctx: Context, sent: Form, address: string): Promise<Answer> {
  const session = sent("session");
  const { waiting, mail } = await requireMailWaiting(ctx, session);
  if (waiting.isDone) return donePage(ctx);
  const email = sent("email").trim();
  try {
    await ctx.rates.admit("register", address);
    const sid = await askForMail(ctx, mail, {
      purpose: waiting.purpose,
      email,
      // The session's own; with a space, so that no client can have it.
      clientSecret: `the page of ${session}`,
      sendAttempt: attemptOf(sent("attempt"), waiting),
    });
    await linkMail(ctx, session, sid);
  } catch (thrown) {
    return showMailStage(ctx, { session, email, refusal: refusalOf(thrown) });
  }
  return redirect(`${PATH}?${new URLSearchParams({ session }).toString()}`);
}

function nextAttempt({ mail }: MailWaiting): number {
  return (mail?.attempt ?? 0) + 1;
}

function attemptOf(given: string, waiting: MailWaiting): number {
  const next = nextAttempt(waiting);
  const attempt = Number(given);
  return Number.isInteger(attempt) && attempt > 0 ? Math.min(attempt, next) : next;
}

const WORDS: Readonly<Record<Purpose, (server: string) => string>> = {
  register: (server) => `An application wants to make an account on ${server}. It is to have your e-mail address.`,
  password: (server) =>
    `An application wants to set a new password for an account on ${server}. Give the e-mail address of that account.`,
  add: (server) => `An application wants to add an e-mail address to an account on ${server}.`,
};

function askPage(
  ctx: Context,
  { session, step, email, refusal }: Asking,
  waiting: MailWaiting,
): Promise<Answer> | Answer {
  const isGone = waiting.wasSent && !waiting.mail?.isGood && step !== STEPS.other;
  const gone = isGone ? "The link in the last mail is no longer good. Ask for another." : undefined;
  return page(ctx, {
    title: "Your e-mail address",
    status: refusal?.status ?? 200,
    content: html`${problem(refusal?.problem ?? gone)}
      <p>${WORDS[waiting.purpose](ctx.config.serverName)}</p>
      <form method="post" action="${PATH}">
        ${hidden("session", session)} ${hidden("attempt", String(nextAttempt(waiting)))}
        <label
          >E-mail address
          <input
            type="email"
            name="email"
            value="${email ?? waiting.mail?.address ?? ""}"
            autocomplete="email"
            required
            maxlength="${limits.emailAddress_characters}"
          /><small>A mail with a link goes there. Go on only if you have just begun this yourself.</small></label
        >
        <p><button>Send the mail</button></p>
      </form>`,
  });
}

interface Waits extends Asking {
  mail: { address: string; attempt: number };
}

function waitPage(ctx: Context, { session, step, mail }: Waits): Answer {
  const notYet = step === STEPS.look ? "The address is not confirmed yet." : undefined;
  return page(ctx, {
    title: "A mail is on its way",
    script: paths.waitingScript,
    content: html`${problem(notYet)}
      <p data-waits>
        It goes to <strong>${mail.address}</strong>. Open the link in it, press the button there, and come back to this
        page.
      </p>
      ${toStep(session, { step: STEPS.look, button: html`<button>I have confirmed it</button>` })}
      <p class="quiet">It may take some minutes, or lie among the unwanted mails. Its link is good for 24 hours.</p>
      <div class="choice">
        <form method="post" action="${PATH}">
          ${hidden("session", session)} ${hidden("email", mail.address)} ${hidden("attempt", String(mail.attempt + 1))}
          <button class="second">Send it again</button>
        </form>
        ${toStep(session, { step: STEPS.other, button: html`<button class="second">Use another address</button>` })}
      </div>`,
  });
}

/** A question to this page itself. */
function toStep(session: string, { step, button }: { step: string; button: Html }): Html {
  return html`<form method="get" action="${PATH}">
    ${hidden("session", session)} ${hidden("step", step)}
    <p>${button}</p>
  </form>`;
}

const file = new URL("waiting.js", import.meta.url);
export const waitingScript = fileAt(paths.waitingScript, { file, type: "text/javascript" });
