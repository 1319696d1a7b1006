/** The providers by whom people sign in. */
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import { addressOf, paths } from "../oauth/addresses.ts";
import { providersIn, type SsoConfig, type SsoProvider } from "./config.ts";

const known = new WeakMap<SsoConfig, readonly SsoProvider[]>();

/** All of them, as they were when this was asked first: at the start. Throws StartError where the setting is wrong. */
export function providersOf({ config: { sso } }: Pick<Context, "config">): readonly SsoProvider[] {
  const found = known.get(sso) ?? providersIn(sso);
  known.set(sso, found);
  return found;
}

/** Throws M_NOT_FOUND. */
export function findProvider(ctx: Context, id: string | undefined): SsoProvider {
  const found = providersOf(ctx).find((each) => each.id === id);
  if (!found)
    throw matrixError("M_NOT_FOUND", "Nobody signs in here by this provider. Go back and choose another one.");
  return found;
}

/** Of the stage m.login.sso in GET /login. Specification: client-server-api, "Client login via SSO", definition `IdP`. */
export function identityProviders(ctx: Context): object {
  const all = providersOf(ctx).map(({ id, name, icon, brand }) => ({
    id,
    name,
    ...(icon === undefined ? {} : { icon }),
    ...(brand === undefined ? {} : { brand }),
  }));
  return all.length === 0 ? {} : { identity_providers: all };
}

/** Whether the issuer is this provider's; a slash at the end makes no other one. */
export function isOf(provider: SsoProvider, { issuer }: { issuer: string }): boolean {
  return issuer.replace(/\/$/, "") === provider.issuer.replace(/\/$/, "");
}

/** A page about a provider: below /oauth2/upstream and its id. */
export function pathOf({ id }: Pick<SsoProvider, "id">, page = ""): string {
  return `${paths.upstream}/${id}${page}`;
}

/** Where a provider sends people back to: what it has to be told when this server is registered there. */
export function redirectUriOf(ctx: Context, provider: Pick<SsoProvider, "id">): string {
  return addressOf(ctx, pathOf(provider, "/callback"));
}

/** Where a provider with back-channel logout tells of sign-outs. */
export function logoutUriOf(ctx: Context, provider: Pick<SsoProvider, "id">): string {
  return addressOf(ctx, pathOf(provider, "/logout"));
}
