// The error codes of the client-server API. The prefix `M_` is reserved for the specification ("Standard error
// response"), so a server may not make up one of its own; a code outside that prefix is its own business.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const homes = ["data/api/client-server", "content/client-server-api"];

/** Of proposals that are announced in /versions: MSC4186. */
const proposed = ["M_UNKNOWN_POS"];

/** Every code with the prefix `M_` that the text or the OpenAPI files of the client-server API name. */
export function readErrcodes(dir: string): ReadonlySet<string> {
  const codes = new Set<string>(proposed);
  for (const home of homes) {
    for (const name of readdirSync(join(dir, home), { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".md") && !name.endsWith(".yaml")) continue;
      const text = readFileSync(join(dir, home, name), "utf8");
      for (const [code] of text.matchAll(/\bM_[A-Z][A-Z0-9_]*\b/g)) codes.add(code);
    }
  }
  return codes;
}
