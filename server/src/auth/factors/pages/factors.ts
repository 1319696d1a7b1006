/**
 * The page of passkeys and second factors. Whatever changes them needs a sign-in of the last ten minutes, with everything that a sign-in
 * asks for: neither an open browser nor a stolen access token with the password takes them away.
 */
import type { Context } from "../../../context.ts";
import { type Answer, route } from "../../../http.ts";
import { limits } from "../../../limits.ts";
import { paths } from "../../oauth/addresses.ts";
import { type Browser, refuseForeignForm, whoIs } from "../../oauth/browsers.ts";
import { readForm } from "../../oauth/forms.ts";
import { withNext } from "../../oauth/pages/next.ts";
import { hidden } from "../../oauth/pages/fields.ts";
import { Html, html, page, problem, redirect, type Refusal, refusalOf } from "../../oauth/pages/page.ts";
import { type ListedPasskey, listPasskeys } from "../passkeys.ts";
import { countRecoveryCodes } from "../recovery-codes.ts";
import { begunTotp, hasSecondFactor, type TotpSecret } from "../totp.ts";
import { codeField } from "./code.ts";
import { actOnFactors, type Outcome } from "./factor-acts.ts";

export const showFactors = route({
  method: "GET",
  path: paths.factors,
  access: "anyone",
  rate: "other",
  async handle(request, ctx) {
    const browser = await whoIs(ctx, request);
    return browser ? factorsPage(ctx, { browser }) : redirect(withNext(paths.signIn, paths.factors));
  },
});

export const changeFactors = route({
  method: "POST",
  path: paths.factors,
  access: "anyone",
  rate: "other",
  body: "stream",
  async handle(request, ctx) {
    const field = await readForm(request.body);
    const browser = await whoIs(ctx, request);
    if (!browser?.isRecent) return redirect(withNext(paths.signIn, paths.factors));
    try {
      refuseForeignForm(ctx, request, { browser, token: field("token") });
      const outcome = await actOnFactors(ctx, { browser, field });
      return await factorsPage(ctx, { browser, outcome });
    } catch (thrown) {
      return factorsPage(ctx, { browser, refusal: refusalOf(thrown) });
    }
  },
});

interface Shown {
  browser: Browser;
  outcome?: Outcome;
  refusal?: Refusal;
}

async function factorsPage(ctx: Context, { browser, outcome, refusal }: Shown): Promise<Answer> {
  const { userId } = browser;
  const [passkeys, isProtected, begun, left] = await Promise.all([
    listPasskeys(ctx, userId),
    hasSecondFactor(ctx, userId),
    begunTotp(ctx, userId),
    countRecoveryCodes(ctx, userId),
  ]);
  const done = outcome?.done === undefined ? undefined : html`<p class="done" role="status">${outcome.done}</p>`;
  return page(ctx, {
    title: "Passkeys and second factor",
    status: refusal?.status ?? 200,
    script: paths.passkeyScript,
    content: html`<div class="wide">
      ${problem(refusal?.problem)} ${done} ${outcome?.codes ? shownCodes(outcome.codes) : undefined}
      ${browser.isRecent ? undefined : signInFirst}
      <p>${userId}</p>
      <h2>Passkeys</h2>
      ${passkeyPart(browser, passkeys)}
      <h2>Codes from an app</h2>
      ${await totpPart(browser, { isProtected, begun })} ${isProtected ? recoveryPart(browser, left) : undefined}
      <p><a href="${paths.account}">Your account</a></p>
    </div>`,
  });
}

const signInFirst = html`<p>You signed in some time ago. To change something here, show again that it is you.</p>
  <p><a class="button" href="${withNext(paths.signIn, paths.factors)}">Sign in again</a></p>`;

/** A form of this page, whose act is `name`; nothing where the person has to sign in first. */
function form(browser: Browser, name: string, { inside, id }: { inside: Html; id?: string }): Html | undefined {
  if (!browser.isRecent) return undefined;
  const which = id === undefined ? undefined : hidden("id", id);
  return html`<form method="post" action="${paths.factors}">
    ${hidden("token", browser.formToken)}${hidden("act", name)} ${which} ${inside}
  </form>`;
}

function day(at_ms: number): string {
  return new Date(at_ms).toISOString().slice(0, 10);
}

function passkeyPart(browser: Browser, passkeys: readonly ListedPasskey[]): Html {
  return html`<p>
      With a passkey you sign in by what unlocks your device, without the password and without a code. It stays on your
      device; this server has nothing that could be stolen.
    </p>
    <ul class="plain">
      ${passkeys.map((each) => onePasskey(browser, each))}
    </ul>
    ${browser.isRecent ? newPasskey(browser) : undefined}
    <noscript><p class="quiet">To add a passkey allow scripts for this page.</p></noscript>`;
}

function onePasskey(browser: Browser, { id, name, created_ms, lastUsed_ms }: ListedPasskey): Html {
  const used = lastUsed_ms === null ? "not used yet" : `last used ${day(lastUsed_ms)}`;
  return html`<li>
    <span>${name}<br /><small>Added ${day(created_ms)}, ${used}</small></span>
    ${form(browser, "rename_passkey", {
      id,
      inside: html`<label class="inline"
          ><span>New name of ${name}</span
          ><input name="name" value="${name}" required maxlength="${limits.passkeyName_characters}"
        /></label>
        <button class="second">Rename</button>`,
    })}
    ${form(browser, "remove_passkey", { id, inside: html`<button class="second" aria-label="Remove ${name}">Remove</button>` })}
  </li> `;
}

/** Hidden until the script has found that the browser has passkeys. */
function newPasskey({ formToken }: Browser): Html {
  return html`<form
    method="post"
    action="${paths.factors}"
    data-passkey="create"
    data-options="${paths.newPasskeyOptions}"
    hidden
  >
    ${hidden("token", formToken)}${hidden("act", "add_passkey")}${hidden("credential", "")}
    <label
      >Name of the new passkey
      <input name="name" placeholder="My telephone" required maxlength="${limits.passkeyName_characters}" />
    </label>
    <p class="problem" role="alert" hidden></p>
    <p><button>Add a passkey</button></p>
  </form>`;
}

async function totpPart(
  browser: Browser,
  { isProtected, begun }: { isProtected: boolean; begun: TotpSecret | undefined },
): Promise<Html> {
  if (isProtected)
    return html`<p>On: after the password you are asked for a code from your app.</p>
      ${form(browser, "remove_totp", { inside: html`<p><button class="second">Turn codes off</button></p>` })}`;
  if (begun && browser.isRecent) return setUp(browser, begun);
  return html`<p>
      Off: the password alone signs you in. With codes somebody who knows it needs your telephone too. Applications that
      can only ask for a password can not sign in then; those that open the browser can.
    </p>
    ${form(browser, "begin_totp", { inside: html`<p><button class="second">Set up codes</button></p>` })}`;
}

async function setUp(browser: Browser, { text, uri }: TotpSecret): Promise<Html> {
  const { renderSVG } = await import("uqr");
  // Black on white in both themes, with the quiet zone that cameras need.
  const picture = new Html(renderSVG(uri, { border: 4, pixelSize: 4 }));
  return html`<p>Read this with an app that makes codes, or type the text below into it.</p>
    <div class="qr" role="img" aria-label="QR code with the secret that is written below">${picture}</div>
    <p><code>${(text.match(/.{1,4}/g) ?? []).join(" ")}</code></p>
    ${form(browser, "confirm_totp", {
      inside: html`${codeField("Code that the app shows", "Six digits. They show that the app has the secret.")}
        <p><button>Turn codes on</button></p>`,
    })}
    ${form(browser, "remove_totp", { inside: html`<p><button class="second">Cancel</button></p>` })}`;
}

function recoveryPart(browser: Browser, left: number): Html {
  return html`<h2>Recovery codes</h2>
    <p>${left} left. Each signs you in once in the place of a code from your app.</p>
    ${form(browser, "recovery_codes", {
      inside: html`<p><button class="second">Make new recovery codes</button></p>`,
    })}`;
}

function shownCodes(codes: readonly string[]): Html {
  return html`<h2>Your new recovery codes</h2>
    <p>
      Keep them where you find them without your telephone, such as on paper. They are shown this once; those of before
      are worth nothing now.
    </p>
    <ul class="codes">
      ${codes.map((code) => html`<li><code>${code}</code></li> `)}
    </ul>`;
}
