/**
 * The stage m.login.sso of user-interactive authentication, for accounts without a password: the client opens a page of ours, the person signs
 * in with a provider that knows the account and says yes to what is asked, and the client goes on. Specification: client-server-api,
 * "Single Sign-On" of the authentication types, and "Fallback".
 */
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import { Answer, route } from "../../http.ts";
import { addressOf, paths } from "../oauth/addresses.ts";
import { refuseForeignForm } from "../oauth/browsers.ts";
import { readForm } from "../oauth/forms.ts";
import { hidden } from "../oauth/pages/fields.ts";
import { donePage } from "../oauth/pages/done.ts";
import { html, page, shown } from "../oauth/pages/page.ts";
import { hasPassword } from "../passwords.ts";
import type { Stage } from "../stages.ts";
import { actOf, completeOwnStage, requireOwnWaiting } from "../waiting.ts";
import { accountOf, externalIdsOf } from "./accounts.ts";
import type { PageRequest } from "./begin.ts";
import type { SsoProvider } from "./config.ts";
import { findProvider, isOf, pathOf, providersOf } from "./providers.ts";
import { readStep, useStep } from "./steps.ts";

const PATH = `${paths.upstream}/:provider/confirm`;

type Flows = readonly (readonly Stage[])[];

/** The flows for somebody who is signed in: who has no password, and a provider, confirms by that. */
export async function flowsFor(ctx: Context, userId: string, flows: Flows): Promise<Flows> {
  const asksPassword = flows.some((flow) => flow.includes("m.login.password"));
  if (!asksPassword || providersOf(ctx).length === 0 || (await hasPassword(ctx, userId))) return flows;
  if ((await providersFor(ctx, userId)).length === 0) return flows;
  return flows.map((flow) => flow.map((stage) => (stage === "m.login.password" ? "m.login.sso" : stage)));
}

async function providersFor(ctx: Context, userId: string): Promise<SsoProvider[]> {
  const ids = await externalIdsOf(ctx, userId);
  return providersOf(ctx).filter((each) => ids.some((id) => isOf(each, id)));
}

/** The page of the stage m.login.sso, see fallback.ts: on to the provider, or to a choice of them. */
export async function showSsoStage(ctx: Context, session: string): Promise<Answer> {
  const { userId } = await requireOwnWaiting(ctx, session);
  const addresses = (await providersFor(ctx, userId)).map((each) => ({
    name: each.name,
    href: addressOf(ctx, `${pathOf(each)}?${new URLSearchParams({ confirm: session }).toString()}`),
  }));
  const [first, ...others] = addresses;
  if (!first) throw matrixError("M_FORBIDDEN", `No provider knows ${userId} any more.`);
  if (others.length === 0)
    return new Answer({ status: 302, headers: { location: first.href, "cache-control": "no-store" }, payload: "" });
  const links = addresses.map(
    ({ name, href }) => html`<a class="button second" href="${href}">Continue with ${name}</a>`,
  );
  return page(ctx, { title: "Confirm who you are", content: html`<div class="choice">${links}</div>` });
}

/** The request and its step, where the person who came is the one who was asked. Throws M_FORBIDDEN. */
async function confirming(ctx: Context, request: PageRequest, id: string) {
  const provider = findProvider(ctx, request.params["provider"]);
  const { purpose, identity } = await readStep(ctx, request, { kind: "proved", id, providerId: provider.id });
  if (purpose.kind !== "confirm") throw matrixError("M_NOT_FOUND", "Nothing waits for you here.");
  const { userId, operation } = await requireOwnWaiting(ctx, purpose.session);
  if ((await accountOf(ctx, identity)) !== userId)
    throw matrixError("M_FORBIDDEN", `At ${provider.name} you are signed in as somebody else than ${userId}.`);
  return { provider, userId, session: purpose.session, operation };
}

export const showConfirm = route({
  method: "GET",
  path: PATH,
  access: "anyone",
  rate: "other",
  handle: shown(async (request: PageRequest, ctx) => {
    const id = String(request.query["step"]);
    const { provider, userId, operation } = await confirming(ctx, request, id);
    return page(ctx, {
      title: "Is it you who asks?",
      content: html`<p>An application that is signed in as ${userId} wants to <strong>${actOf(operation)}</strong>.</p>
        <p class="quiet">Say yes only if you have just begun this yourself.</p>
        <form method="post" action="${pathOf(provider, "/confirm")}">
          ${hidden("step", id)}
          <p><button>Yes, it is me</button></p>
        </form>`,
    });
  }),
});

export const confirm = route({
  method: "POST",
  path: PATH,
  access: "anyone",
  rate: "other",
  body: "stream",
  handle: shown(async (request: PageRequest, ctx) => {
    const field = await readForm(request.body);
    const id = field("step");
    refuseForeignForm(ctx, request);
    const { provider, userId, session } = await confirming(ctx, request, id);
    await useStep(ctx, request, { kind: "proved", id, providerId: provider.id });
    await completeOwnStage(ctx, { session, userId }, { "m.login.sso": "" });
    return donePage(ctx);
  }),
});
