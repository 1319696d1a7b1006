/** What whoever makes an account has to accept. See auth/terms/config.ts. */
import type { Setting } from "./setting.ts";

export const termsSettings: readonly Setting[] = [
  {
    name: "PARLEY_TERMS",
    default: "",
    doc: "Policies that whoever makes an account has to accept, in JSON, or file:// and a file with it. By default none.",
  },
];
