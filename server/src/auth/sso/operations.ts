/** The providers by whom people sign in, for operators. They are set by PARLEY_SSO_PROVIDERS; here they are shown and tried. */
import { z } from "zod";
import { operation, type Operation } from "../../console/operation.ts";
import type { Context } from "../../context.ts";
import { matrixError, StartError } from "../../errors.ts";
import { type Draft, draftShape, providerOf, SSO_PROVIDERS, type SsoProvider } from "./config.ts";
import { placesOf, SECRET_PLACE } from "./places.ts";
import { findProvider, logoutUriOf, providersOf, redirectUriOf } from "./providers.ts";
import { type Check, checkNames, tryProvider } from "./trial.ts";

const addresses = {
  redirect_uri: z.string().meta({ description: "What has to be registered at the provider." }),
  logout_uri: z.string().meta({ description: "Its back-channel logout URI, where it has such a thing." }),
};

const provider = z.object({
  id: z.string(),
  name: z.string(),
  issuer: z.string(),
  client_id: z.string(),
  ...addresses,
  new_accounts: z.boolean().meta({ description: "Whether newcomers get an account." }),
  link_by_verified_email: z.boolean(),
  email_domains: z.array(z.string()).meta({ description: "Only people with an address there; empty: everybody." }),
});

const addressesOf = (ctx: Context, of: { id: string }) => ({
  redirect_uri: redirectUriOf(ctx, of),
  logout_uri: logoutUriOf(ctx, of),
});

const list = operation({
  id: "providers.list",
  method: "GET",
  path: "/settings/providers",
  summary: "Lists the providers by whom people sign in",
  description: "They are set by PARLEY_SSO_PROVIDERS. No secret is told.",
  role: "auditor",
  answer: z.object({
    items: z.array(provider),
    new: z.object(addresses).meta({ description: "The same of one that is not set yet, with {id} for its id." }),
  }),
  command: { name: "provider list", columns: ["id", "name", "issuer", "client_id", "redirect_uri"], shows: ["items"] },
  handle: async (_request, ctx) => ({
    items: providersOf(ctx).map((each) => ({
      id: each.id,
      name: each.name,
      issuer: each.issuer,
      client_id: each.client_id,
      ...addressesOf(ctx, each),
      new_accounts: each.new_accounts,
      link_by_verified_email: each.link_by_verified_email,
      email_domains: each.email_domains,
    })),
    new: addressesOf(ctx, { id: "{id}" }),
  }),
});

const trial = {
  ok: z.boolean(),
  checks: z.array(z.object({ what: z.enum(checkNames), ok: z.boolean(), says: z.string() })),
};

const trialOf = (checks: readonly Check[]) => ({ ok: checks.every(({ ok }) => ok), checks: [...checks] });

const test = operation({
  id: "providers.test",
  method: "POST",
  path: "/settings/providers/:providerId/test",
  summary: "Asks a provider now for what it says of itself, its keys, and whether it knows this server",
  description: "Nobody signs in by it, and nothing of what it answers is kept.",
  role: "operator",
  isWrite: false,
  isAudited: true,
  rate: "providerTrial",
  answer: z.object(trial),
  command: { name: "provider test", arguments: ["providerId"] },
  handle: async ({ params: { providerId } }, ctx) => trialOf(await tryProvider(ctx, findProvider(ctx, providerId))),
});

const draft = operation({
  id: "providers.draft",
  method: "POST",
  path: "/settings/providers/draft",
  summary: "Tries a provider that is not set yet, and says what has to be set where",
  description: `The body is an entry of ${SSO_PROVIDERS}; the secret in it is given to the provider alone, and is neither kept nor told. Where there are other providers the answer has the entry to add to theirs. "${SECRET_PLACE}" in \`stored\` stands for the secret.`,
  role: "owner",
  isWrite: false,
  isAudited: true,
  rate: "providerTrial",
  body: draftShape,
  answer: z.object({
    ...trial,
    ...addresses,
    others: z.array(z.string()).meta({ description: "The ids of the providers that there are." }),
    env: z.string().meta({ description: "For a file of variables: the setting, or the entry where there are others." }),
    secret_file: z.string().nullable().meta({ description: "The file that `env` names; null for a public client." }),
    helm_values: z.string().meta({ description: "For the chart: where the store of secrets has the setting." }),
    stored: z.string().meta({ description: "What the store of secrets has there." }),
    external_secret: z.string().meta({ description: "The same for a Secret of one's own, as a template." }),
  }),
  target: ({ body }) => body.id,
  command: {
    name: "provider draft",
    arguments: ["id", "issuer"],
    secrets: ["client_secret"],
    shows: ["ok", "checks", "redirect_uri", "logout_uri", "env", "secret_file", "stored"],
  },
  async handle({ body, audit }, ctx) {
    const described = asProvider(body);
    const others = providersOf(ctx).map(({ id }) => id);
    if (others.includes(body.id))
      throw matrixError(
        "M_INVALID_PARAM",
        `There is a provider with the id ${body.id} already: give this one another.`,
      );
    const checks = withoutSecret(await tryProvider(ctx, described), body.client_secret);
    const tried = trialOf(checks);
    audit({ after: { issuer: body.issuer, client_id: body.client_id, ok: tried.ok } });
    return { ...tried, ...addressesOf(ctx, body), others, ...placesOf(body, { isFirst: others.length === 0 }) };
  },
});

/** Throws M_INVALID_PARAM with the sentence that would stop a start. */
function asProvider(given: Draft): SsoProvider {
  try {
    return providerOf(given);
  } catch (thrown) {
    if (!(thrown instanceof StartError)) throw thrown;
    const sentence = thrown.message.replace(/^\w+ is not valid: /, "");
    throw matrixError("M_INVALID_PARAM", sentence.charAt(0).toUpperCase() + sentence.slice(1));
  }
}

/** A provider may say anything, what it was given included. */
function withoutSecret(checks: readonly Check[], secret: string | undefined): Check[] {
  return checks.map((each) => ({
    ...each,
    says: secret === undefined ? each.says : each.says.replaceAll(secret, "…"),
  }));
}

export const providerOperations: readonly Operation[] = [list, test, draft];
