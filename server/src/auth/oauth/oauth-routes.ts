/** The paths of the OAuth 2.0 API and of its pages. */
import type { Route } from "../../http.ts";
import { factorRoutes } from "../factors/factor-routes.ts";
import { registerClient } from "./clients.ts";
import { endpointRoutes } from "./endpoints.ts";
import { metadataRoutes } from "./metadata.ts";
import { changeAccount, showAccount } from "./pages/account.ts";
import { decide, showConsent } from "./pages/consent.ts";
import { link, showLink } from "./pages/link.ts";
import { register, showRegister } from "./pages/register.ts";
import { showSignIn, signIn, signOut } from "./pages/sign-in.ts";
import { finishSso, showSso, ssoRedirect, ssoRedirectTo } from "./pages/sso.ts";
import { style } from "./pages/style.ts";

export const oauthRoutes: readonly Route[] = [
  ...metadataRoutes,
  registerClient,
  ...endpointRoutes,
  showSignIn,
  signIn,
  signOut,
  showRegister,
  register,
  showLink,
  link,
  showAccount,
  changeAccount,
  showConsent,
  ssoRedirect,
  ssoRedirectTo,
  showSso,
  finishSso,
  decide,
  style,
  ...factorRoutes,
];
