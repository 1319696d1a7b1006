/** Upstream single sign-on. See auth/sso/config.ts. */
import type { Setting } from "./setting.ts";

export const ssoSettings: readonly Setting[] = [
  {
    name: "PARLEY_SSO_PROVIDERS",
    secret: true,
    doc: "Providers of OpenID Connect by whom people sign in, as a list in JSON, or file:// and a file with it. By default none.",
  },
  {
    name: "PARLEY_SSO_CLIENTS",
    default: "",
    doc: "Web clients to which people are sent back without being asked, with commas, such as https://app.example.org/. This server's own is among them.",
  },
];
