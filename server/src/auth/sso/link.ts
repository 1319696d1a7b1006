/** Ways to sign in, on the account page: which providers know the account, and the page after one on which the person says yes. */
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import { type Answer, route } from "../../http.ts";
import { paths } from "../oauth/addresses.ts";
import { type Browser, refuseForeignForm, whoIs } from "../oauth/browsers.ts";
import { readForm } from "../oauth/forms.ts";
import { prove } from "../oauth/pages/account-acts.ts";
import { hidden, passwordField } from "../oauth/pages/fields.ts";
import { withNext } from "../oauth/pages/next.ts";
import { type Html, html, page, problem, redirect, type Refusal, refusalOf, shown } from "../oauth/pages/page.ts";
import { hasPassword } from "../passwords.ts";
import { type ExternalId, externalIdsOf, link } from "./accounts.ts";
import type { PageRequest } from "./begin.ts";
import type { SsoProvider } from "./config.ts";
import type { Identity } from "./identity.ts";
import { findProvider, isOf, pathOf, providersOf } from "./providers.ts";
import { readStep, useStep } from "./steps.ts";

const PATH = `${paths.upstream}/:provider/link`;

/** The part of the account page; nothing where the account and the server know no provider. */
export async function waysIn(
  ctx: Context,
  browser: Browser,
  form: (name: string, inside: Html) => Html,
): Promise<Html | undefined> {
  const [ids, providers] = [await externalIdsOf(ctx, browser.userId), providersOf(ctx)];
  if (ids.length === 0 && providers.length === 0) return undefined;
  const others = providers.filter((each) => !ids.some((id) => isOf(each, id)));
  return html`<h2 id="providers">Sign-in by others</h2>
    <ul class="plain">
      ${ids.map((id) => known(providers, id, form))}
    </ul>
    ${others.map((each) => html`<p><a href="${pathOf(each)}?for=link">Add ${each.name}</a></p>`)}`;
}

function known(providers: readonly SsoProvider[], id: ExternalId, form: (name: string, inside: Html) => Html): Html {
  const name = providers.find((each) => isOf(each, id))?.name ?? new URL(id.issuer).host;
  const since = new Date(id.added_ms).toISOString().slice(0, 10);
  return html`<li>
    <span>${name}<br /><small>${id.subject}, since ${since}</small></span>
    ${form("unlink", html`${hidden("issuer", id.issuer)}${hidden("subject", id.subject)}<button class="second">Remove</button>`)}
  </li> `;
}

interface Linking {
  provider: SsoProvider;
  id: string;
  identity: Identity;
  browser: Browser;
}

/** Throws M_FORBIDDEN where the browser is somebody else's by now. Undefined where it is nobody's. */
async function linking(ctx: Context, request: PageRequest, id: string): Promise<Linking | undefined> {
  const provider = findProvider(ctx, request.params["provider"]);
  const browser = await whoIs(ctx, request);
  if (!browser) return undefined;
  const { purpose, identity } = await readStep(ctx, request, { kind: "proved", id, providerId: provider.id });
  if (purpose.kind !== "link" || purpose.userId !== browser.userId)
    throw matrixError("M_FORBIDDEN", "You have signed in as somebody else meanwhile. Go back to your account page.");
  return { provider, id, identity, browser };
}

async function linkPage(
  ctx: Context,
  { provider, id, identity, browser }: Linking,
  refusal?: Refusal,
): Promise<Answer> {
  const { displayName, email, localpart, subject } = identity;
  return page(ctx, {
    title: `Add ${provider.name}?`,
    status: refusal?.status ?? 200,
    content: html`${problem(refusal?.problem)}
      <p>From then on whoever signs in there as this person is let in as ${browser.userId}.</p>
      <dl>
        <dt>At ${provider.name} you are</dt>
        <dd>${[displayName, email ?? localpart ?? subject].filter((each) => each !== undefined).join(", ")}</dd>
      </dl>
      <form method="post" action="${pathOf(provider, "/link")}">
        ${hidden("token", browser.formToken)}${hidden("step", id)}
        ${(await hasPassword(ctx, browser.userId)) ? passwordField("Your password here", { isNeeded: true }) : undefined}
        <p><button>Add ${provider.name}</button></p>
      </form>
      <p><a href="${paths.account}">Leave it</a></p>`,
  });
}

export const showLink = route({
  method: "GET",
  path: PATH,
  access: "anyone",
  rate: "other",
  handle: shown(async (request: PageRequest, ctx) => {
    const found = await linking(ctx, request, String(request.query["step"]));
    return found ? linkPage(ctx, found) : redirect(withNext(paths.signIn, paths.account));
  }),
});

export const linkProvider = route({
  method: "POST",
  path: PATH,
  access: "anyone",
  rate: "other",
  body: "stream",
  handle: shown(async (request: PageRequest, ctx) => {
    const field = await readForm(request.body);
    const found = await linking(ctx, request, field("step"));
    if (!found) return redirect(withNext(paths.signIn, paths.account));
    const { provider, id, identity, browser } = found;
    try {
      refuseForeignForm(ctx, request, { browser, token: field("token") });
      await prove(ctx, { browser, request, field });
      await link(ctx, browser.userId, identity);
    } catch (thrown) {
      return linkPage(ctx, found, refusalOf(thrown));
    }
    await useStep(ctx, request, { kind: "proved", id, providerId: provider.id });
    return redirect(`${paths.account}#providers`);
  }),
});
