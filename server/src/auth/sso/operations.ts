/** The providers by whom people sign in, for operators. They are set by PARLEY_SSO_PROVIDERS; here they are shown and tried. */
import { z } from "zod";
import { operation, type Operation } from "../../console/operation.ts";
import { findProvider, providersOf, redirectUriOf } from "./providers.ts";
import { tryProvider } from "./trial.ts";

const provider = z.object({
  id: z.string(),
  name: z.string(),
  issuer: z.string(),
  client_id: z.string(),
  redirect_uri: z.string().meta({ description: "What has to be registered at the provider." }),
  new_accounts: z.boolean().meta({ description: "Whether newcomers get an account." }),
  link_by_verified_email: z.boolean(),
  email_domains: z.array(z.string()).meta({ description: "Only people with an address there; empty: everybody." }),
});

const list = operation({
  id: "providers.list",
  method: "GET",
  path: "/settings/providers",
  summary: "Lists the providers by whom people sign in",
  description: "They are set by PARLEY_SSO_PROVIDERS. No secret is told.",
  role: "auditor",
  answer: z.object({ items: z.array(provider) }),
  command: { name: "provider list", columns: ["id", "name", "issuer", "client_id", "redirect_uri"] },
  handle: async (_request, ctx) => ({
    items: providersOf(ctx).map((each) => ({
      id: each.id,
      name: each.name,
      issuer: each.issuer,
      client_id: each.client_id,
      redirect_uri: redirectUriOf(ctx, each),
      new_accounts: each.new_accounts,
      link_by_verified_email: each.link_by_verified_email,
      email_domains: each.email_domains,
    })),
  }),
});

const test = operation({
  id: "providers.test",
  method: "POST",
  path: "/settings/providers/:providerId/test",
  summary: "Asks a provider now for what it says of itself, its keys, and whether it knows this server",
  description: "Nobody signs in by it, and nothing of what it answers is kept.",
  role: "operator",
  isWrite: false,
  isAudited: true,
  answer: z.object({
    ok: z.boolean(),
    checks: z.array(z.object({ what: z.enum(["address", "keys", "client"]), ok: z.boolean(), says: z.string() })),
  }),
  command: { name: "provider test", arguments: ["providerId"] },
  async handle({ params: { providerId } }, ctx) {
    const checks = await tryProvider(ctx, findProvider(ctx, providerId));
    return { ok: checks.every(({ ok }) => ok), checks };
  },
});

export const providerOperations: readonly Operation[] = [list, test];
