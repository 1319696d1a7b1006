/** A provider as an owner describes it in the wizard, and what the server says of it (server/src/auth/sso/operations.ts). */
import type { Trial } from "./shapes.ts";

export const FIELDS = {
  name: "",
  id: "",
  issuer: "",
  client_id: "",
  client_secret: "",
  localpart: "",
  display_name: "",
  email: "",
  new_accounts: "yes",
  email_domains: "",
  hosts: "",
};

export type DraftFields = typeof FIELDS;

export interface Drafted extends Trial {
  redirect_uri: string;
  logout_uri: string;
  others: string[];
  env: string;
  secret_file: string | null;
  helm_values: string;
  stored: string;
  external_secret: string;
}

/** An id that a name suggests: it stands in addresses, and can not change later. */
export function idFrom(name: string): string {
  return name
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 64);
}

/** What is wrong with an id, in a sentence; nothing where it is right, or not there yet. */
export function idFault(id: string, others: readonly string[]): string | undefined {
  if (id !== "" && !/^[a-z0-9._~-]{1,64}$/.test(id)) return "Up to 64 of the characters a-z 0-9 . _ ~ -";
  return others.includes(id) ? "A provider here has this id already." : undefined;
}

/** The server judges an address; here is seen that there is one at all. */
export function issuerFault(issuer: string): string | undefined {
  if (issuer === "" || "https://".startsWith(issuer) || /^https?:\/\/\S+$/.test(issuer.trim())) return undefined;
  return "An address that begins with https://";
}

/** The body of the request: what was left empty is as the server has it by itself. */
export function bodyOf({ localpart, display_name, email, new_accounts, email_domains, ...plain }: DraftFields): object {
  const given = (values: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(values).flatMap(([key, value]) => (value.trim() === "" ? [] : [[key, value.trim()]])),
    );
  const attributes = given({ localpart, display_name, email });
  const domains = email_domains.split(/[\s,]+/).filter((each) => each !== "");
  return {
    ...given(plain),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
    ...(new_accounts === "yes" ? {} : { new_accounts: false }),
    ...(domains.length === 0 ? {} : { email_domains: domains }),
  };
}

/** What belongs into a store of secrets, with the secret, which no answer of the server has. */
export function withSecret(stored: string, secret: string): string {
  return stored.replace(
    '"client_secret":"THE CLIENT SECRET"',
    () => `"client_secret":${JSON.stringify(secret.trim())}`,
  );
}
