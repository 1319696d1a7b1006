/** The page on which a newcomer chooses a user name: the provider has said none, or one that can not be or is somebody else's. */
import type { Context } from "../../context.ts";
import { type Answer, route } from "../../http.ts";
import { paths } from "../oauth/addresses.ts";
import { refuseForeignForm, refuseNewSessions } from "../oauth/browsers.ts";
import { readForm } from "../oauth/forms.ts";
import { hidden, userField } from "../oauth/pages/fields.ts";
import { html, page, problem, type Refusal, refusalOf, shown } from "../oauth/pages/page.ts";
import { freeUserId } from "../register.ts";
import { createAccountFor } from "./accounts.ts";
import { enter } from "./arrive.ts";
import type { PageRequest } from "./begin.ts";
import type { SsoProvider } from "./config.ts";
import { suggestedName } from "./identity.ts";
import { findProvider, pathOf } from "./providers.ts";
import { type Proved, readStep, useStep } from "./steps.ts";

const PATH = `${paths.upstream}/:provider/name`;

interface Choosing {
  provider: SsoProvider;
  step: Proved;
  id: string;
  user?: string;
  refusal?: Refusal;
}

function namePage(ctx: Context, { provider, step, id, user, refusal }: Choosing): Answer {
  const { localpart, displayName } = step.identity;
  const isTaken = localpart !== undefined && suggestedName(localpart) === localpart;
  return page(ctx, {
    title: "Choose a user name",
    status: refusal?.status ?? 200,
    content: html`${problem(refusal?.problem)}
      <p>
        ${displayName === undefined ? "Welcome." : `Welcome, ${displayName}.`} You come here by ${provider.name} for the
        first time.
      </p>
      ${isTaken && !refusal ? html`<p>The name ${localpart} is somebody else's here.</p>` : undefined}
      <form method="post" action="${pathOf(provider, "/name")}">
        ${hidden("step", id)}
        ${userField(user ?? (isTaken ? undefined : suggestedName(localpart)), "Letters a to z, digits and . _ = - / It can not be changed later.")}
        <p><button>Make the account</button></p>
      </form>
      <p class="quiet">
        You have an account here already? <a href="${paths.signIn}">Sign in with its password</a>, and add
        ${provider.name} on your account page.
      </p>`,
  });
}

async function choosing(ctx: Context, request: PageRequest, id: string): Promise<Choosing> {
  const provider = findProvider(ctx, request.params["provider"]);
  return { provider, id, step: await readStep(ctx, request, { kind: "proved", id, providerId: provider.id }) };
}

export const showName = route({
  method: "GET",
  path: PATH,
  access: "anyone",
  rate: "other",
  handle: shown(async (request: PageRequest, ctx) =>
    namePage(ctx, await choosing(ctx, request, String(request.query["step"]))),
  ),
});

export const chooseName = route({
  method: "POST",
  path: PATH,
  access: "anyone",
  body: "stream",
  handle: shown(async (request: PageRequest, ctx) => {
    const field = await readForm(request.body);
    const [id, user] = [field("step"), field("user").trim()];
    refuseForeignForm(ctx, request);
    const given = await choosing(ctx, request, id);
    const { provider, step } = given;
    try {
      refuseNewSessions(ctx);
      const wanted = await freeUserId(ctx, user);
      await ctx.rates.admit("register", request.address);
      const userId = await createAccountFor(ctx, { userId: wanted, provider, identity: step.identity });
      await useStep(ctx, request, { kind: "proved", id, providerId: provider.id });
      return await enter(ctx, request, { userId, identity: step.identity, next: step.next });
    } catch (thrown) {
      return namePage(ctx, { ...given, user, refusal: refusalOf(thrown) });
    }
  }),
});
