/** What forms of the account page do. Each is what the legacy API does for the same wish, after the same proof. */
import type { Context } from "../../../context.ts";
import { changeProfile } from "../../../account/profile.ts";
import { matrixError } from "../../../errors.ts";
import type { Answer, Request } from "../../../http.ts";
import { limits } from "../../../limits.ts";
import { deactivateAccount } from "../../deactivate.ts";
import { endSessions } from "../../end-sessions.ts";
import { accountSuspended, readModeration } from "../../moderation.ts";
import { setPassword } from "../../password.ts";
import { hasSecondFactor } from "../../factors/totp.ts";
import { checkNewPassword, checkPassword, hasPassword } from "../../passwords.ts";
import { unlink } from "../../sso/accounts.ts";
import { paths } from "../addresses.ts";
import { approve } from "../approvals.ts";
import { type Browser, refuseForeignForm, signInBrowser, signOutBrowser } from "../browsers.ts";
import type { Form } from "../forms.ts";
import { html, page } from "./page.ts";

export interface Outcome {
  /** A sentence for the account page. */
  done?: string;
  /** The page, where it is another one. */
  end?: Answer;
}

interface Acting {
  browser: Browser;
  request: Pick<Request<unknown, unknown, undefined>, "headers" | "address">;
  field: Form;
}

type Act = (ctx: Context, acting: Acting) => Promise<Outcome>;

const acts: Readonly<Record<string, Act>> = {
  rename,
  end,
  password,
  deactivate,
  cross_signing_reset: resetKeys,
  unlink: removeProvider,
};

/** Does what the form asks for. Throws IO_PARLEY_CSRF for a form that is not of this browser, and what the act itself throws. */
export async function act(ctx: Context, acting: Acting): Promise<Outcome> {
  const { browser, request, field } = acting;
  refuseForeignForm(ctx, request, { browser, token: field("token") });
  const found = Object.hasOwn(acts, field("act")) ? acts[field("act")] : undefined;
  if (!found) throw matrixError("M_UNRECOGNIZED", "There is nothing of this name on the account page.");
  return found(ctx, acting);
}

/**
 * Throws M_FORBIDDEN unless it is the person themselves: by their password. Where they have none, or a password alone does not sign them in,
 * they have signed in a moment ago.
 */
export async function prove(ctx: Context, { browser, request, field }: Acting): Promise<void> {
  const { userId, isRecent } = browser;
  const isByPassword = await hasPassword(ctx, userId);
  if (isByPassword) {
    const given = { userId, password: field("password"), address: request.address };
    if ((await checkPassword(ctx, given)) === undefined) throw matrixError("M_FORBIDDEN", "The password is not right.");
  }
  if (!isRecent && (!isByPassword || (await hasSecondFactor(ctx, userId))))
    throw matrixError(
      "M_FORBIDDEN",
      "You signed in some time ago. Sign this browser out and in again, and repeat this.",
    );
}

async function rename(ctx: Context, { browser, field }: Acting): Promise<Outcome> {
  const value = field("displayname").trim();
  if ((await readModeration(ctx, browser.userId))?.suspended) throw accountSuspended();
  if (Buffer.byteLength(value) > limits.displayname_bytes)
    throw matrixError("M_INVALID_PARAM", `A name has at most ${limits.displayname_bytes} bytes.`);
  await changeProfile(ctx, browser.userId, { field: "displayname", value: value === "" ? undefined : value });
  return { done: "Your name is saved." };
}

async function end(ctx: Context, { browser, field }: Acting): Promise<Outcome> {
  await endSessions(ctx, { userId: browser.userId, deviceIds: [field("device_id")] });
  return { done: "The device is signed out." };
}

async function password(ctx: Context, acting: Acting): Promise<Outcome> {
  const { browser, request, field } = acting;
  checkNewPassword(ctx, field("new_password"));
  await prove(ctx, acting);
  await setPassword(ctx, browser.userId, {
    password: field("new_password"),
    endsDevices: field("logout_devices") !== "",
  });
  // All sessions of browsers may be over: this one goes on.
  const headers = await signInBrowser(ctx, request, browser.userId);
  return {
    end: page(ctx, {
      title: "Password changed",
      headers,
      content: html`<p>From now on you sign in with the new password.</p>
        <p><a href="${paths.account}">Your account</a></p>`,
    }),
  };
}

async function deactivate(ctx: Context, acting: Acting): Promise<Outcome> {
  await prove(ctx, acting);
  await deactivateAccount(ctx, acting.browser.userId, acting.field("erase") !== "");
  const headers = await signOutBrowser(ctx, acting.request);
  return { end: page(ctx, { title: "Goodbye", headers, content: html`<p>The account is deactivated.</p>` }) };
}

async function resetKeys(ctx: Context, acting: Acting): Promise<Outcome> {
  await prove(ctx, acting);
  await approve(ctx, acting.browser.userId, "org.matrix.cross_signing_reset");
  return { done: "Your identity may be reset within the next ten minutes. Go back to your application." };
}

async function removeProvider(ctx: Context, { browser, field }: Acting): Promise<Outcome> {
  await unlink(ctx, browser.userId, { issuer: field("issuer"), subject: field("subject") });
  return { done: "This way to sign in is removed. Devices that are signed in by it stay so." };
}
