/** Who somebody is, as a provider says it. */
import type { IDToken } from "openid-client";
import { limits } from "../../limits.ts";
import { foldAddress } from "../email/address.ts";
import type { SsoProvider } from "./config.ts";

export interface Identity {
  issuer: string;
  clientId: string;
  /** Stable, and nobody else's at this issuer: by it alone people are known. */
  subject: string;
  /** The provider's session, where it names one. */
  sid: string | undefined;
  /** The user name that the mapping makes; it need not be one. */
  localpart: string | undefined;
  displayName: string | undefined;
  /** Folded. */
  email: string | undefined;
  isEmailVerified: boolean;
  /** When the provider asked the person who they are, in seconds since 1970 (`auth_time`); undefined where it does not say. */
  asked_s: number | undefined;
}

export type Claims = Readonly<Record<string, unknown>>;

/** What of the claims counts, by the provider's mapping. Throws Error for a subject that is none. */
export function identityOf(provider: SsoProvider, token: IDToken, claims: Claims): Identity {
  const { attributes, trust_email } = provider;
  const { sub: subject, iss: issuer, sid, auth_time } = token;
  if (subject.length > limits.ssoSubject_characters || subject.includes("\0"))
    throw new Error("the subject of the id token is too long, or no text");
  const email = foldAddress(mapped(attributes.email, claims) ?? "");
  return {
    issuer,
    clientId: provider.client_id,
    subject,
    sid: typeof sid === "string" && sid.length <= limits.ssoSubject_characters ? sid : undefined,
    localpart: localpartOf(mapped(attributes.localpart, claims)),
    displayName: mapped(attributes.display_name, claims)
      ?.slice(0, limits.displayname_bytes / 4)
      .toWellFormed(),
    email,
    isEmailVerified: email !== undefined && (trust_email || claims["email_verified"] === true),
    asked_s: auth_time,
  };
}

/** A claim by its name, or a text with names of claims in braces, of which one that is missing makes it none: "{given_name} {family_name}". */
function mapped(attribute: string, claims: Claims): string | undefined {
  if (!attribute.includes("{")) return textIn(claims, attribute);
  const parts = attribute.split(/\{([^{}]*)\}/);
  const texts = parts.map((part, i) => (i % 2 === 0 ? part : textIn(claims, part)));
  return texts.includes(undefined) ? undefined : texts.join("").trim() || undefined;
}

function textIn(claims: Claims, name: string): string | undefined {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" ? text.toWellFormed().replaceAll("\0", "").trim() || undefined : undefined;
}

/** A user name is often an address: what stands before the @ counts. */
function localpartOf(text: string | undefined): string | undefined {
  return text?.split("@")[0]?.toLowerCase() || undefined;
}

/** A name that may be one, made of one that is none: without marks, and with - for what has no place in it. */
export function suggestedName(localpart: string | undefined): string {
  const letters = (localpart ?? "").normalize("NFKD").replace(/\p{Mark}/gu, "");
  return letters
    .replace(/[^a-z0-9._=/+-]+/g, "-")
    .replace(/^[-_]+|-+$/g, "")
    .slice(0, 100);
}

/** Why somebody whom the provider knows may not come in here; undefined where they may. */
export function whyNot(provider: SsoProvider, identity: Identity, claims: Claims): string | undefined {
  const { email_domains: domains, require_claims: wanted, name } = provider;
  const domain = identity.email?.split("@").at(-1);
  if (domains.length > 0) {
    if (domain === undefined || !identity.isEmailVerified)
      return `${name} has not said which e-mail address is yours, or has not confirmed it. Only people with an address of certain domains may come in here.`;
    if (!domains.some((each) => each.toLowerCase() === domain))
      return `People with an address at ${domain} may not come in here by ${name}.`;
  }
  const missing = Object.entries(wanted).some(([claim, value]) => !has(claims[claim], value));
  return missing ? `You are not among those who may come in here by ${name}. Ask whoever runs this server.` : undefined;
}

/** Groups and roles are lists. */
function has(found: unknown, value: string | boolean): boolean {
  return Array.isArray(found) ? found.includes(value) : found === value;
}
