/** What forms of the page of passkeys and second factors do. Whoever comes here has signed in a moment ago: see factors.ts. */
import type { Context } from "../../../context.ts";
import { matrixError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { Browser } from "../../oauth/browsers.ts";
import type { Form } from "../../oauth/forms.ts";
import { removePasskey, renamePasskey } from "../passkeys.ts";
import { makeRecoveryCodes, removeRecoveryCodes } from "../recovery-codes.ts";
import { beginTotp, hasSecondFactor, removeTotp, useTotp } from "../totp.ts";
import { addAnswered } from "../webauthn.ts";
import { newPasskeyHash } from "./passkey.ts";

export interface Outcome {
  /** A sentence for the page. */
  done?: string;
  /** New recovery codes, to be shown this once. */
  codes?: string[];
}

interface Acting {
  browser: Browser;
  field: Form;
}

type Act = (ctx: Context, acting: Acting) => Promise<Outcome>;

const acts: Readonly<Record<string, Act>> = {
  add_passkey: addPasskey,
  rename_passkey: nameAgain,
  remove_passkey: removeOne,
  begin_totp: begin,
  confirm_totp: confirm,
  remove_totp: turnOff,
  recovery_codes: makeAnew,
};

/** Throws M_UNRECOGNIZED, and what the act throws. */
export function actOnFactors(ctx: Context, acting: Acting): Promise<Outcome> {
  const name = acting.field("act");
  const found = Object.hasOwn(acts, name) ? acts[name] : undefined;
  if (!found) throw matrixError("M_UNRECOGNIZED", "There is nothing of this name on this page.");
  return found(ctx, acting);
}

/** Throws M_INVALID_PARAM. */
function nameIn(field: Form): string {
  const name = field("name").trim();
  if (name === "" || name.length > limits.passkeyName_characters)
    throw matrixError("M_INVALID_PARAM", `Give a name of 1 to ${limits.passkeyName_characters} characters.`);
  return name;
}

async function addPasskey(ctx: Context, { browser, field }: Acting): Promise<Outcome> {
  const [name, credential] = [nameIn(field), field("credential")];
  await addAnswered(ctx, { userId: browser.userId, name, credential, browserHash: newPasskeyHash(browser) });
  return { done: "The passkey is added. You can sign in with it from now on." };
}

async function nameAgain(ctx: Context, { browser, field }: Acting): Promise<Outcome> {
  await renamePasskey(ctx, browser.userId, { id: field("id"), name: nameIn(field) });
  return { done: "The name is saved." };
}

async function removeOne(ctx: Context, { browser, field }: Acting): Promise<Outcome> {
  await removePasskey(ctx, browser.userId, field("id"));
  return { done: "The passkey is removed. Remove it from your device too: it would still be offered there." };
}

async function begin(ctx: Context, { browser }: Acting): Promise<Outcome> {
  await beginTotp(ctx, browser.userId);
  return {};
}

async function confirm(ctx: Context, { browser, field }: Acting): Promise<Outcome> {
  const { userId } = browser;
  await ctx.rates.admit("secondFactor", userId);
  const code = field("code").replaceAll(/\s/g, "");
  if (!(await useTotp(ctx, { userId, code, confirms: true })))
    throw matrixError("M_FORBIDDEN", "The code is not right. Look at the app again: a code is good for half a minute.");
  return {
    done: "From now on the password alone signs nobody in to your account.",
    codes: await makeRecoveryCodes(ctx, userId),
  };
}

async function turnOff(ctx: Context, { browser }: Acting): Promise<Outcome> {
  await removeTotp(ctx, browser.userId);
  await removeRecoveryCodes(ctx, browser.userId);
  return { done: "Codes are turned off: from now on the password alone signs you in." };
}

async function makeAnew(ctx: Context, { browser }: Acting): Promise<Outcome> {
  if (!(await hasSecondFactor(ctx, browser.userId)))
    throw matrixError("M_BAD_STATE", "Set up codes from an app first: recovery codes stand in for them.");
  return { codes: await makeRecoveryCodes(ctx, browser.userId) };
}
