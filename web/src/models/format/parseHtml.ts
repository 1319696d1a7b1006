import { fromHtml } from "./fromHtml.ts";
import type { Rich } from "./rich.ts";

interface Policy {
  createHTML(text: string): string;
}

interface TrustedTypes {
  createPolicy(name: string, rules: Policy): Policy;
}

/**
 * The page may turn text into HTML nowhere (Trusted Types) but here, where the document is inert: nothing in it runs, loads
 * or is shown. What comes out is a tree of our own.
 */
const policy: Policy = (
  (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes ?? { createPolicy: (_name, rules) => rules }
).createPolicy("parley-inert", { createHTML: (text) => text });

/** A message's `formatted_body` as a tree of what Parley shows. */
export function parseHtml(html: string): Rich[] {
  const inert = new DOMParser().parseFromString(policy.createHTML(html), "text/html");
  return fromHtml(inert.body);
}
