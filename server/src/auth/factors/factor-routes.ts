/** The paths of passkeys and second factors, which are pages of the authorisation server. */
import type { Route } from "../../http.ts";
import { enterCode, showCode } from "./pages/code.ts";
import { changeFactors, showFactors } from "./pages/factors.ts";
import { challengeForNew, challengeForSignIn, signInByPasskey } from "./pages/passkey.ts";
import { passkeyScript } from "./pages/script.ts";

export const factorRoutes: readonly Route[] = [
  challengeForSignIn,
  signInByPasskey,
  challengeForNew,
  showCode,
  enterCode,
  showFactors,
  changeFactors,
  passkeyScript,
];
