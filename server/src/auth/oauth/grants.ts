/** What a person allowed an application, as the provider keeps it. */
import type { Provider } from "oidc-provider";
import { readScope } from "./scopes.ts";

/** Writes down what a person allowed; gives its id. */
export async function grantOf(
  provider: Provider,
  { userId, clientId, scope }: { userId: string; clientId: string; scope: string },
): Promise<string> {
  const grant = new provider.Grant({ accountId: userId, clientId });
  const read = readScope(scope);
  if (typeof read === "string") throw new Error(`a scope was let through that can not be granted: ${read}`);
  grant.addOIDCScope("openid");
  grant.addResourceScope(provider.issuer, read.scope);
  return grant.save();
}
