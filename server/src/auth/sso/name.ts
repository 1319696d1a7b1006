/**
 * The page on which a newcomer says what an account needs of them: a user name, where the provider has said none, or one that can not be or is
 * somebody else's, and that they accept the policies of this server, where it has some.
 */
import type { Context } from "../../context.ts";
import { type Answer, route } from "../../http.ts";
import { paths } from "../oauth/addresses.ts";
import { refuseForeignForm, refuseNewSessions } from "../oauth/browsers.ts";
import { readForm } from "../oauth/forms.ts";
import { hidden, userField } from "../oauth/pages/fields.ts";
import { type Html, html, page, problem, type Refusal, refusalOf, shown } from "../oauth/pages/page.ts";
import { freeUserId } from "../register.ts";
import { acceptedIn, policyFields, type Reader } from "../terms/fields.ts";
import { createAccountFor } from "./accounts.ts";
import { enter } from "./arrive.ts";
import type { PageRequest } from "./begin.ts";
import type { SsoProvider } from "./config.ts";
import { suggestedName } from "./identity.ts";
import { nameFrom } from "./names.ts";
import { findProvider, pathOf } from "./providers.ts";
import { type Proved, readStep, useStep } from "./steps.ts";

const PATH = `${paths.upstream}/:provider/name`;

interface Choosing extends Reader {
  provider: SsoProvider;
  step: Proved;
  id: string;
  user?: string;
  refusal?: Refusal;
}

async function namePage(ctx: Context, choosing: Choosing): Promise<Answer> {
  const { provider, step, id, refusal } = choosing;
  const { displayName } = step.identity;
  const own = await nameFrom(ctx, step.identity);
  return page(ctx, {
    title: own === undefined ? "Choose a user name" : "Make an account",
    status: refusal?.status ?? 200,
    content: html`${problem(refusal?.problem)}
      <p>
        ${displayName === undefined ? "Welcome." : `Welcome, ${displayName}.`} You come here by ${provider.name} for the
        first time.
      </p>
      ${own === undefined ? undefined : html`<p>Here you will be <strong>${own}</strong>.</p>`}
      <form method="post" action="${pathOf(provider, "/name")}">
        ${hidden("step", id)} ${own === undefined ? nameField(choosing) : undefined} ${policyFields(ctx, choosing)}
        <p><button>Make the account</button></p>
      </form>
      <p class="quiet">
        You have an account here already? <a href="${paths.signIn}">Sign in with its password</a>, and add
        ${provider.name} on your account page.
      </p>`,
  });
}

function nameField({ step, user, refusal }: Choosing): Html {
  const { localpart } = step.identity;
  const isTaken = localpart !== undefined && suggestedName(localpart) === localpart;
  const suggested = isTaken ? undefined : suggestedName(localpart);
  return html`${isTaken && !refusal ? html`<p>The name ${localpart} is somebody else's here.</p>` : undefined}
  ${userField(user ?? suggested, "Letters a to z, digits and . _ = - / It can not be changed later.")}`;
}

async function choosing(ctx: Context, request: PageRequest, id: string): Promise<Choosing> {
  const provider = findProvider(ctx, request.params["provider"]);
  const step = await readStep(ctx, request, { kind: "proved", id, providerId: provider.id });
  return { provider, id, step, headers: request.headers };
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
      const versions = acceptedIn(ctx, { headers: request.headers, sent: field });
      const wanted = (await nameFrom(ctx, step.identity)) ?? (await freeUserId(ctx, user));
      await ctx.rates.admit("register", request.address);
      const userId = await createAccountFor(ctx, { userId: wanted, provider, identity: step.identity, versions });
      await useStep(ctx, request, { kind: "proved", id, providerId: provider.id });
      return await enter(ctx, request, { userId, identity: step.identity, next: step.next });
    } catch (thrown) {
      return namePage(ctx, { ...given, sent: field, user, refusal: refusalOf(thrown) });
    }
  }),
});
