/**
 * The page on which somebody allows an application to act as them. It is asked anew for each sign-in of an application: it names the
 * application, its address and the device that comes of it, and nothing that was allowed before counts.
 */
import type { Provider } from "oidc-provider";
import type { Context } from "../../../context.ts";
import { Answer, type Request, route } from "../../../http.ts";
import { paths } from "../addresses.ts";
import { type Browser, readCookie, refuseForeignForm, refuseNewSessions, whoIs } from "../browsers.ts";
import { grantOf } from "../grants.ts";
import { readClient, shownClient, type ShownClient } from "../clients.ts";
import { readForm } from "../forms.ts";
import { INTERACTION_COOKIE, providerOf } from "../provider.ts";
import { readScope } from "../scopes.ts";
import { hidden } from "./fields.ts";
import { noteGrant } from "../../sso/sessions.ts";
import { withNext } from "./next.ts";
import { type Html, html, message, page, redirect, shown } from "./page.ts";

const INTERACTION = `${paths.interaction}/:uid`;

type Asked = Pick<Request<unknown, unknown, undefined>, "params" | "headers" | "body">;
type Asking = Pick<Asked, "params" | "headers">;
type Interaction = Awaited<ReturnType<Provider["interactionDetails"]>>;

/** The sign-in that goes on under this id, in this browser and in no other: whoever sends somebody the link sends them to nothing. */
async function interactionOf(provider: Provider, request: Asking): Promise<Interaction | undefined> {
  const uid = request.params["uid"] ?? "";
  if (readCookie(request, INTERACTION_COOKIE) !== uid) return undefined;
  return provider.Interaction.find(uid);
}

interface GoingOn {
  provider: Provider;
  interaction: Interaction;
  browser: Browser;
}

/** The sign-in that goes on and who is to allow it, or the page where there is no such sign-in, or they have to prove who they are first. */
async function goingOn(ctx: Context, request: Asking): Promise<GoingOn | Answer> {
  const provider = await providerOf(ctx);
  const [interaction, browser] = await Promise.all([interactionOf(provider, request), whoIs(ctx, request)]);
  if (!interaction) return gone(ctx);
  if (!browser || isAnew(interaction, browser)) return signInFor(interaction);
  return { provider, interaction, browser };
}

function gone(ctx: Context): Answer {
  return message(ctx, 400, {
    title: "Too late",
    sentence: "This sign-in has expired, or was begun in another browser. Go back to the application and begin again.",
  });
}

/** Whether the person has to prove anew who they are: the application asked for that, or for a new account. */
function isAnew({ params, iat }: Interaction, browser: Browser): boolean {
  const { prompt } = params;
  const prompts = typeof prompt === "string" ? prompt.split(" ") : [];
  return (prompts.includes("login") || prompts.includes("create")) && browser.since_s < iat;
}

function signInFor({ prompt, uid }: Interaction): Answer {
  const path = prompt.name === "create" ? paths.register : paths.signIn;
  return redirect(withNext(path, `${paths.interaction}/${uid}`));
}

export const showConsent = route({
  method: "GET",
  path: INTERACTION,
  access: "anyone",
  rate: "other",
  handle: shown(async (request: Asked, ctx) => {
    const found = await goingOn(ctx, request);
    if (found instanceof Answer) return found;
    const { interaction, browser } = found;
    const client = await readClient(ctx, String(interaction.params["client_id"]));
    const scope = readScope(String(interaction.params["scope"]));
    if (!client || typeof scope === "string") return gone(ctx);
    const asked = { client: shownClient(client), deviceId: scope.deviceId, browser };
    const action = `${paths.interaction}/${interaction.uid}`;
    return page(ctx, {
      title: `Let ${asked.client.name} in?`,
      leadsTo: String(interaction.params["redirect_uri"]),
      content: html`${whatIsAsked(asked)} ${consentForm({ action, browser })} ${otherAccount(browser, action)}`,
    });
  }),
});

export interface AskedFor {
  client: ShownClient;
  deviceId: string;
  browser: Browser;
}

/** What the person says yes or no to. */
export function whatIsAsked({ client, deviceId, browser }: AskedFor): Html {
  const { tos_uri, policy_uri } = client.links;
  return html`<p>It wants to use your account: read and send messages, and change your rooms and your profile.</p>
    <dl>
      <dt>You</dt>
      <dd>${browser.userId}</dd>
      <dt>Application</dt>
      <dd>${client.name}, of <strong>${client.host}</strong></dd>
      <dt>New device</dt>
      <dd>${deviceId}</dd>
    </dl>
    <p class="quiet">
      Go on only if you have just begun this yourself. You can end it on your account page at any time.
      ${tos_uri ? html` <a href="${tos_uri}" rel="noreferrer">Its terms</a>` : undefined}${policy_uri ? html` <a href="${policy_uri}" rel="noreferrer">Its privacy policy</a>` : undefined}
    </p>`;
}

export function consentForm({ action, browser, fields }: { action: string; browser: Browser; fields?: Html }): Html {
  return html`<form method="post" action="${action}" class="choice">
    ${hidden("token", browser.formToken)} ${fields}
    <button name="decision" value="allow">Continue</button>
    <button name="decision" value="deny" class="second">Cancel</button>
  </form>`;
}

export function otherAccount({ userId, formToken }: Browser, next: string): Html {
  return html`<form method="post" action="${paths.signOut}" class="quiet">
    ${hidden("token", formToken)}${hidden("next", next)} Not ${userId}?
    <button class="link">Use another account</button>
  </form>`;
}

export const decide = route({
  method: "POST",
  path: INTERACTION,
  access: "anyone",
  rate: "other",
  body: "stream",
  handle: shown(async (request: Asked, ctx) => {
    const field = await readForm(request.body);
    const found = await goingOn(ctx, request);
    if (found instanceof Answer) return found;
    const { interaction, browser } = found;
    refuseForeignForm(ctx, request, { browser, token: field("token") });
    refuseNewSessions(ctx);
    interaction.result =
      field("decision") === "allow"
        ? await allowed(ctx, interaction, browser)
        : { error: "access_denied", error_description: "The person did not allow it." };
    await interaction.save(interaction.exp - Math.floor(ctx.seams.now_ms() / 1_000));
    return redirect(interaction.returnTo);
  }),
});

async function allowed(ctx: Context, { params, prompt }: Interaction, browser: Browser) {
  const grantId = await grantOf(await providerOf(ctx), {
    userId: browser.userId,
    clientId: String(params["client_id"]),
    scope: String(params["scope"]),
  });
  await noteGrant(ctx, grantId, browser.login);
  return {
    login: { accountId: browser.userId, remember: false, ts: browser.since_s },
    consent: { grantId },
    ...(prompt.name === "create" ? { create: {} } : {}),
  };
}
