/** Fields that stand on more than one page. */
import type { Context } from "../../../context.ts";
import { limits } from "../../../limits.ts";
import { type Html, html } from "./page.ts";

/** What a form carries along that nobody sees. */
export function hidden(name: string, value: string): Html {
  return html`<input type="hidden" name="${name}" value="${value}" />`;
}

/** The name of an account, where browsers offer passkeys too if the page asks for them, with a note below where there is something to know. */
export function userField(value: string | undefined, note?: string): Html {
  return html`<label
    >User name
    <input
      name="user"
      value="${value ?? ""}"
      autocomplete="username webauthn"
      autocapitalize="none"
      spellcheck="false"
      required
      maxlength="${limits.identifier_bytes}"
    />${note === undefined ? undefined : html`<small>${note}</small>`}</label
  >`;
}

/** The password that somebody has. It may stay empty where they may have none, and proved otherwise who they are. */
export function passwordField(label: string, { isNeeded }: { isNeeded: boolean }): Html {
  return html`<label
    >${label}
    <input
      type="password"
      name="password"
      autocomplete="current-password"
      ${isNeeded ? html`required` : undefined}
      maxlength="${limits.password_characters}"
  /></label>`;
}

/** A password that somebody is to have from now on. */
export function newPasswordField(ctx: Context, { name, label }: { name: string; label: string }): Html {
  const least = ctx.controls.now().password_least_characters;
  return html`<label
    >${label}
    <input
      type="password"
      name="${name}"
      autocomplete="new-password"
      required
      minlength="${least}"
      maxlength="${limits.password_characters}"
    />
    <small>At least ${least} characters.</small></label
  >`;
}
