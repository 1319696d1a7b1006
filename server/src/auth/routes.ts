/** The paths of the auth domain. */
import type { Context } from "../context.ts";
import type { Route } from "../http.ts";
import { aboutRoutes } from "./about.ts";
import { confirmRoutes } from "./email/confirm.ts";
import { waitingScript } from "./email/page.ts";
import { deactivate } from "./deactivate.ts";
import { deleteDevice, deleteDevices, getDevice, getDevices, renameDevice } from "./devices.ts";
import { fallbackRoutes } from "./fallback.ts";
import { loginPageRoutes } from "./login-page/page.ts";
import { getLoginToken } from "./login-token.ts";
import { login, loginFlows } from "./login.ts";
import { logout, logoutAll, whoami } from "./logout.ts";
import { openIdRoutes } from "./openid.ts";
import { startOAuthRounds } from "./oauth/forget.ts";
import { oauthRoutes } from "./oauth/oauth-routes.ts";
import { changePassword } from "./password.ts";
import { refresh } from "./refresh.ts";
import { register, registerAvailable } from "./register.ts";
import { createRegistrationToken, registrationTokenValidity } from "./registration-tokens.ts";
import { providersOf } from "./sso/providers.ts";
import { ssoRoutes } from "./sso/sso-routes.ts";
import { sharedSecretRoutes } from "./shared-secret.ts";
import { thirdPartyRoutes } from "./third-party.ts";

export const routes: readonly Route[] = [
  ...aboutRoutes,
  register,
  registerAvailable,
  registrationTokenValidity,
  createRegistrationToken,
  loginFlows,
  login,
  getLoginToken,
  refresh,
  whoami,
  logout,
  logoutAll,
  getDevices,
  getDevice,
  renameDevice,
  deleteDevice,
  deleteDevices,
  changePassword,
  deactivate,
  ...thirdPartyRoutes,
  ...confirmRoutes,
  ...sharedSecretRoutes,
  ...openIdRoutes,
  ...oauthRoutes,
  ...ssoRoutes,
  ...fallbackRoutes,
  waitingScript,
  ...loginPageRoutes,
];

/** Starts the rounds of the OAuth 2.0 API. Throws StartError where the list of providers is wrong. */
export async function start(ctx: Context): Promise<() => Promise<void>> {
  providersOf(ctx);
  return Promise.resolve(startOAuthRounds(ctx));
}
