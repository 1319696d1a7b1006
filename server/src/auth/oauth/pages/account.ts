/**
 * The account page: what of an account is managed in a browser. Specification: client-server-api, "Account management" of the OAuth 2.0
 * API. `?action=` and `device_id` lead to one part of it, also by the names of actions from before the specification had them.
 */
import type { Context } from "../../../context.ts";
import { profileOf } from "../../../account/profile.ts";
import { type Answer, type Request, route } from "../../../http.ts";
import { limits } from "../../../limits.ts";
import { type DeviceRow, listDevices, readDevice } from "../../queries.ts";
import { waysIn } from "../../sso/link.ts";
import { paths } from "../addresses.ts";
import { type Browser, whoIs } from "../browsers.ts";
import { readForm } from "../forms.ts";
import { act, type Outcome } from "./account-acts.ts";
import { hidden, newPasswordField, passwordField } from "./fields.ts";
import { withNext } from "./next.ts";
import { type Html, html, page, problem, redirect, type Refusal, refusalOf } from "./page.ts";

type Part = (ctx: Context, browser: Browser, deviceId: string) => Promise<{ title: string; content: Html }>;

const OLD_NAMES: Readonly<Record<string, string>> = {
  "org.matrix.sessions_list": "org.matrix.devices_list",
  "org.matrix.session_view": "org.matrix.device_view",
  "org.matrix.session_end": "org.matrix.device_delete",
};

const parts: Readonly<Record<string, Part>> = {
  "org.matrix.device_view": oneDevice,
  "org.matrix.device_delete": oneDevice,
  "org.matrix.account_deactivate": deactivation,
  "org.matrix.cross_signing_reset": crossSigningReset,
};

type AccountRequest = Request<unknown, Record<string, string>, undefined>;

export const showAccount = route({
  method: "GET",
  path: paths.account,
  access: "anyone",
  rate: "other",
  async handle(request, ctx) {
    const browser = await whoIs(ctx, request);
    if (!browser) return redirect(withNext(paths.signIn, hereOf(request)));
    return accountPage(ctx, { browser, request });
  },
});

export const changeAccount = route({
  method: "POST",
  path: paths.account,
  access: "anyone",
  rate: "other",
  body: "stream",
  async handle(request, ctx) {
    const browser = await whoIs(ctx, request);
    if (!browser) return redirect(withNext(paths.signIn, hereOf(request)));
    const field = await readForm(request.body);
    try {
      const outcome = await act(ctx, { browser, request, field });
      return outcome.end ?? (await accountPage(ctx, { browser, request, outcome }));
    } catch (thrown) {
      return accountPage(ctx, { browser, request, refusal: refusalOf(thrown) });
    }
  },
});

/** This page with its action: where a form leads that was refused, and a sign-in. */
function hereOf({ query }: AccountRequest): string {
  const known = Object.entries(query).filter(([name]) => name === "action" || name === "device_id");
  return known.length === 0 ? paths.account : `${paths.account}?${new URLSearchParams(known).toString()}`;
}

interface Shown {
  browser: Browser;
  request: AccountRequest;
  outcome?: Outcome;
  refusal?: Refusal;
}

async function accountPage(ctx: Context, { browser, request, outcome, refusal }: Shown): Promise<Answer> {
  const { action = "", device_id: deviceId = "" } = request.query;
  // What is done is done: the whole page says so.
  const part = outcome ? undefined : parts[OLD_NAMES[action] ?? action];
  const { title, content } = await (part ?? everything)(ctx, browser, deviceId);
  return page(ctx, {
    title,
    status: refusal?.status ?? 200,
    content: html`<div class="wide">
      ${problem(refusal?.problem)}
      ${outcome?.done === undefined ? undefined : html`<p class="done" role="status">${outcome.done}</p>`} ${content}
      ${part ? html`<p><a href="${paths.account}">Your account</a></p>` : undefined}
    </div>`,
  });
}

/** A form of this page, whose act is `name`. */
function form(browser: Browser, name: string, { inside, deviceId }: { inside: Html; deviceId?: string }): Html {
  return html`<form method="post" action="${paths.account}">
    ${hidden("token", browser.formToken)}${hidden("act", name)}${deviceId === undefined ? undefined : hidden("device_id", deviceId)}
    ${inside}
  </form>`;
}

const ownPassword = passwordField("Your password", { isNeeded: false });

async function everything(ctx: Context, browser: Browser): Promise<{ title: string; content: Html }> {
  const [profile, devices] = await Promise.all([profileOf(ctx, browser.userId), listDevices(ctx, browser.userId)]);
  return {
    title: "Your account",
    content: html`<p>${browser.userId}</p>
      ${form(browser, "rename", {
        inside: html`<label
            >Name that others see
            <input
              name="displayname"
              value="${profile.displayname ?? ""}"
              autocomplete="nickname"
              maxlength="${limits.displayname_bytes}"
          /></label>
          <p><button>Save the name</button></p>`,
      })}
      <h2 id="devices">Your devices</h2>
      <ul class="plain">
        ${devices.map((device) => html`<li>${described(device)}${endForm(browser, device.deviceId)}</li> `)}
      </ul>
      <h2 id="password">Password</h2>
      ${form(browser, "password", {
        inside: html`${ownPassword} ${newPasswordField(ctx, { name: "new_password", label: "New password" })}
          <label class="check"><input type="checkbox" name="logout_devices" value="yes" /> Sign all devices out</label>
          <p><button>Change the password</button></p>`,
      })}
      <h2>Passkeys and second factor</h2>
      <p><a href="${paths.factors}">Sign in without the password, or not with the password alone</a></p>
      ${await waysIn(ctx, browser, (name, inside) => form(browser, name, { inside }))}
      <h2>More</h2>
      <p><a href="${paths.account}?action=org.matrix.cross_signing_reset">Reset the identity of your encryption</a></p>
      <p><a href="${paths.account}?action=org.matrix.account_deactivate">Deactivate the account</a></p>
      <form method="post" action="${paths.signOut}">
        ${hidden("token", browser.formToken)}
        <button class="second">Sign this browser out</button>
      </form>`,
  };
}

function described({ deviceId, displayName, lastSeen_ms, lastSeenAddress }: DeviceRow): Html {
  const seen = new Date(lastSeen_ms).toISOString().slice(0, 16).replace("T", " ");
  return html`<span
    ><a
      href="${paths.account}?${new URLSearchParams({ action: "org.matrix.device_view", device_id: deviceId }).toString()}"
      >${displayName ?? deviceId}</a
    ><br />
    <small>${deviceId}, seen ${seen} UTC${lastSeenAddress === null ? "" : ` from ${lastSeenAddress}`}</small></span
  >`;
}

function endForm(browser: Browser, deviceId: string): Html {
  return form(browser, "end", { deviceId, inside: html`<button class="second">Sign out</button>` });
}

async function oneDevice(ctx: Context, browser: Browser, deviceId: string) {
  const device = await readDevice(ctx, browser.userId, deviceId);
  if (!device)
    return {
      title: "No such device",
      content: html`<p>You have no device with this id. It may be signed out already.</p>`,
    };
  return {
    title: device.displayName ?? device.deviceId,
    content: html`<p>${described(device)}</p>
      <p class="quiet">Signed out, it can not read new messages, and forgets its keys.</p>
      ${form(browser, "end", { deviceId, inside: html`<p><button class="danger">Sign this device out</button></p>` })}`,
  };
}

function deactivation(_ctx: Context, browser: Browser) {
  return Promise.resolve({
    title: "Deactivate the account",
    content: html`<p>
        ${browser.userId} leaves all rooms and can never sign in again. Nobody can take the name. This can not be
        undone.
      </p>
      ${form(browser, "deactivate", {
        inside: html`<label class="check"
            ><input type="checkbox" name="erase" value="yes" /> Hide what I wrote from people who join later</label
          >
          ${ownPassword}
          <p><button class="danger">Deactivate for good</button></p>`,
      })}`,
  });
}

function crossSigningReset(_ctx: Context, browser: Browser) {
  return Promise.resolve({
    title: "Reset your identity",
    content: html`<p>
        Do this only if you have lost all your verified devices and your recovery key. People will see that your
        identity has changed, and you will have to verify with them again.
      </p>
      <p>After that go back to your application within ten minutes: it makes the new keys.</p>
      ${form(browser, "cross_signing_reset", {
        inside: html`${ownPassword}
          <p><button class="danger">Allow the reset</button></p>`,
      })}`,
  });
}
