/** The page on which somebody types the code that another device shows, and lets that device in. */
import type { Context } from "../../../context.ts";
import { type Answer, type Request, route } from "../../../http.ts";
import { matrixError } from "../../../errors.ts";
import { paths } from "../addresses.ts";
import { type Browser, refuseForeignForm, refuseNewSessions, whoIs } from "../browsers.ts";
import { readClient, shownClient } from "../clients.ts";
import { findWaiting, letIn, plainCode, shownCode, turnAway, type Waiting } from "../device-codes.ts";
import { readForm } from "../forms.ts";
import { consentForm, otherAccount, whatIsAsked } from "./consent.ts";
import { hidden } from "./fields.ts";
import { withNext } from "./next.ts";
import { html, message, page, problem, redirect, type Refusal, refusalOf, shown } from "./page.ts";

function codePage(ctx: Context, refusal?: Refusal): Answer {
  return page(ctx, {
    title: "Link a device",
    status: refusal?.status ?? 200,
    content: html`${problem(refusal?.problem)}
      <p>Type the code that the device shows.</p>
      <form method="get" action="${paths.link}">
        <label
          >Code
          <input
            name="user_code"
            class="code"
            autocomplete="off"
            autocapitalize="characters"
            spellcheck="false"
            required
            maxlength="20"
            placeholder="ABCD-EFGH"
        /></label>
        <p><button>Continue</button></p>
      </form>`,
  });
}

/** Guessing costs: each look counts for the address and for the person. Throws M_LIMIT_EXCEEDED, and M_NOT_FOUND. */
async function waitingFor(ctx: Context, asked: { browser: Browser; address: string; code: string }): Promise<Waiting> {
  for (const key of [asked.address, asked.browser.userId]) await ctx.rates.admit("userCode", key);
  const waiting = await findWaiting(ctx, plainCode(asked.code));
  if (!waiting) throw matrixError("M_NOT_FOUND", "No device shows this code. It may have expired: begin again there.");
  return waiting;
}

export const showLink = route({
  method: "GET",
  path: paths.link,
  access: "anyone",
  rate: "other",
  async handle(request, ctx) {
    const given: unknown = request.query["user_code"];
    // An address may name it twice.
    const code = typeof given === "string" ? given : "";
    const here = code === "" ? paths.link : `${paths.link}?${new URLSearchParams({ user_code: code }).toString()}`;
    const browser = await whoIs(ctx, request);
    if (!browser) return redirect(withNext(paths.signIn, here));
    if (code === "") return codePage(ctx);
    try {
      const waiting = await waitingFor(ctx, { browser, address: request.address, code });
      return await confirmPage(ctx, waiting, browser);
    } catch (thrown) {
      return codePage(ctx, refusalOf(thrown));
    }
  },
});

async function confirmPage(ctx: Context, waiting: Waiting, browser: Browser): Promise<Answer> {
  const client = await readClient(ctx, waiting.clientId);
  if (!client) throw matrixError("M_NOT_FOUND", "The application of this device is not known any more.");
  const asked = { client: shownClient(client), deviceId: waiting.deviceId, browser };
  const code = shownCode(waiting.userCode);
  return page(ctx, {
    title: `Let ${asked.client.name} in?`,
    content: html`<p>
        The device must show <strong>${code}</strong>. If somebody has sent you here with a code, they would get into
        your account: cancel.
      </p>
      ${whatIsAsked(asked)} ${consentForm({ action: paths.link, browser, fields: hidden("user_code", code) })}
      ${otherAccount(browser, `${paths.link}?user_code=${code}`)}`,
  });
}

export const link = route({
  method: "POST",
  path: paths.link,
  access: "anyone",
  rate: "other",
  body: "stream",
  handle: shown(async (request: Pick<Request<unknown, unknown, undefined>, "headers" | "body" | "address">, ctx) => {
    const field = await readForm(request.body);
    const browser = await whoIs(ctx, request);
    if (!browser) return redirect(withNext(paths.signIn, paths.link));
    refuseForeignForm(ctx, request, { browser, token: field("token") });
    refuseNewSessions(ctx);
    const code = field("user_code");
    const waiting = await waitingFor(ctx, { browser, address: request.address, code });
    const isAllowed = field("decision") === "allow";
    const isDone = isAllowed ? await letIn(ctx, waiting, browser) : await turnAway(ctx, waiting);
    if (!isDone) throw matrixError("M_NOT_FOUND", "The device does not wait any more. Begin again there.");
    return isAllowed
      ? message(ctx, 200, { title: "Done", sentence: "The device is being signed in. You can close this page." })
      : message(ctx, 200, { title: "Cancelled", sentence: "The device was not let in. You can close this page." });
  }),
});
