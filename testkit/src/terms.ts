// Policies that whoever makes an account on a test server has to accept.

import { type Policy, readTerms } from "../../server/src/auth/terms/config.ts";

/** Two, the first in two languages; as the specification has them in `policies`. */
export function testTerms(): readonly Policy[] {
  return readTerms({
    PARLEY_TERMS: JSON.stringify({
      terms: {
        version: "1",
        en: { name: "Terms", url: "https://e.example/en" },
        fr: { name: "Conditions", url: "https://e.example/fr" },
      },
      privacy: { version: "1", en: { name: "Privacy", url: "https://e.example/privacy" } },
    }),
  });
}
