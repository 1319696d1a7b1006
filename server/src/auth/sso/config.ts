/** Upstream single sign-on, as the settings say it. */
import { z } from "zod";
import { asError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { type Allowed, readAllowed } from "../../outward/guard.ts";
import { type Address, isInFile, isReference, valueOf } from "../../secrets/address.ts";
import { type Env, refuse, secret, text } from "../../settings/read.ts";

export const SSO_PROVIDERS = "PARLEY_SSO_PROVIDERS";
const SSO_CLIENTS = "PARLEY_SSO_CLIENTS";

const words = z.string().min(1).max(limits.ssoText_characters);
const claimName = z.string().max(200);

const provider = z.strictObject({
  id: z.string().regex(/^[a-z0-9._~-]{1,64}$/, "has up to 64 of the characters a-z 0-9 . _ ~ -"),
  name: z.string().min(1).max(80),
  issuer: words,
  client_id: words,
  client_secret: words.optional(),
  scopes: z
    .array(words.regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/))
    .max(50)
    .default(["profile", "email"]),
  attributes: z
    .strictObject({
      localpart: claimName.default("preferred_username"),
      display_name: claimName.default("name"),
      email: claimName.default("email"),
    })
    .prefault({}),
  new_accounts: z.boolean().default(true),
  link_by_verified_email: z.boolean().default(false),
  trust_email: z.boolean().default(false),
  save_email: z.boolean().default(false),
  email_domains: z
    .array(z.string().regex(/^[a-z0-9.-]+\.[a-z0-9-]+$/i, "is a domain such as example.org"))
    .max(100)
    .default([]),
  require_claims: z.record(claimName, z.union([z.string(), z.boolean()])).default({}),
  parameters: z.record(z.string().max(100), z.string().max(limits.ssoText_characters)).default({}),
  hosts: z.string().max(limits.ssoText_characters).default(""),
  icon: z
    .string()
    .regex(/^mxc:\/\/[^/?#]+\/[A-Za-z0-9_-]+$/, "is the address of an uploaded picture, mxc://…")
    .optional(),
  brand: z
    .string()
    .regex(/^[a-z0-9._-]{1,255}$/, "is a word such as keycloak or google")
    .optional(),
});

/**
 * A provider that somebody describes in the console, before it is set. Its secret is the secret itself: what names a file, or another
 * secret of this server, would have that sent to whatever issuer stands beside it.
 */
export const draftShape = provider.extend({
  client_secret: words
    .refine((each) => !isInFile(each) && !isReference(each), "is the secret itself, not file:// or secret://")
    .optional(),
});

export type Draft = z.output<typeof draftShape>;

/** What of a draft has to be written down: what is as it is without being said is left out, and so is the secret. */
export function writtenOf({ client_secret: _, ...draft }: Draft): Record<string, unknown> {
  const { id, name, issuer, client_id } = draft;
  const { attributes: own, ...byDefault } = provider.parse({ id, name, issuer, client_id }) as Record<string, unknown>;
  const differs =
    (from: object) =>
    ([key, value]: [string, unknown]) =>
      JSON.stringify((from as Record<string, unknown>)[key]) !== JSON.stringify(value);
  const attributes = Object.fromEntries(Object.entries(draft.attributes).filter(differs(own as object)));
  const more = Object.entries(draft).filter(
    ([key]) => key !== "attributes" && !(key in { id, name, issuer, client_id }),
  );
  return {
    id,
    name,
    issuer,
    client_id,
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
    ...Object.fromEntries(more.filter(differs(byDefault))),
  };
}

/** A draft as the setting would have it. Throws StartError as the setting would. */
export function providerOf(draft: Draft): SsoProvider {
  return checked(draft, false);
}

export interface SsoProvider extends Omit<z.output<typeof provider>, "client_secret" | "hosts"> {
  /** Where its secret is; undefined for a public client. */
  clientSecret: Address | undefined;
  /** Where it may be besides the public internet. */
  hosts: Allowed;
}

export interface SsoConfig {
  /** PARLEY_SSO_PROVIDERS, where it is a file or a reference, which is read when the process starts. */
  address: Address | undefined;
  /** Those of a value, which stand here so that references among their secrets are looked up. */
  providers: readonly SsoProvider[];
  /** Addresses of clients that are sent people without asking: an origin and the beginning of a path. */
  clients: readonly URL[];
}

/** What a request to the authorisation endpoint has by itself. */
const OWN_PARAMETERS = [
  "client_id",
  "redirect_uri",
  "response_type",
  "response_mode",
  "scope",
  "state",
  "nonce",
  "code_challenge",
  "code_challenge_method",
];

/** Throws StartError on the first setting that is wrong. */
export function readSso(env: Env): SsoConfig {
  const address = secret(env, SSO_PROVIDERS);
  const clients = readClients(text(env, SSO_CLIENTS));
  if (address === undefined) return { address: undefined, providers: [], clients };
  if (isInFile(address) || isReference(address)) return { address, providers: [], clients };
  return {
    address: undefined,
    providers: readProviders(address, { mayRefer: (env["SECRETS_PROVIDER"] || "none") !== "none" }),
    clients,
  };
}

/** What the setting stands for at this moment. Throws StartError where that is wrong. */
export function providersIn({ address, providers }: SsoConfig): readonly SsoProvider[] {
  return address === undefined ? providers : readProviders(valueOf(address), { mayRefer: false });
}

const EXAMPLE = `[{"id":"keycloak","name":"Keycloak","issuer":"https://sso.example.org/realms/main","client_id":"parley","client_secret":"file:///run/secrets/keycloak"}]`;

/** `mayRefer`: whether secrets may be `secret://` names. Those of a list that is itself in a file are looked up by nobody. */
function readProviders(written: string, { mayRefer }: { mayRefer: boolean }): readonly SsoProvider[] {
  const list = z.array(provider).max(limits.ssoProviders).safeParse(parsed(written));
  if (!list.success) {
    const { path, message } = list.error.issues[0] ?? { path: [], message: "" };
    return wrong(
      `${path.length === 0 ? "it" : placeOf(path)} is not right (${message}): set it to a list such as ${EXAMPLE}.`,
    );
  }
  const ids = list.data.map(({ id }) => id);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) wrong(`two providers have the id ${twice}: give each its own.`);
  return list.data.map((each) => checked(each, mayRefer));
}

/** The message of a JSON error quotes what stands there, which may be a secret. */
function parsed(written: string): unknown {
  try {
    return JSON.parse(written) as unknown;
  } catch {
    return wrong(`it is no JSON: set it to a list such as ${EXAMPLE}.`);
  }
}

function placeOf(path: readonly PropertyKey[]): string {
  return path.map((each) => (typeof each === "number" ? `provider ${each + 1}` : String(each))).join(", ");
}

function checked({ client_secret, hosts, ...given }: z.output<typeof provider>, mayRefer: boolean): SsoProvider {
  const of = `of the provider ${given.id}`;
  const issuer = URL.parse(given.issuer);
  const isRight = issuer && (issuer.protocol === "https:" || (issuer.protocol === "http:" && isHere(issuer)));
  if (!isRight || issuer.username !== "" || issuer.search !== "" || issuer.hash !== "")
    return wrong(
      `the issuer ${of} is "${given.issuer}": set it to its https:// address (http:// only on this machine), without ? and #.`,
    );
  if (client_secret !== undefined && isReference(client_secret) && !mayRefer)
    wrong(
      `the client_secret ${of} is a secret:// name: with SECRETS_PROVIDER it may be one where the list is a value. Set it to file:// and a path.`,
    );
  const own = OWN_PARAMETERS.find((name) => Object.hasOwn(given.parameters, name));
  if (own !== undefined) wrong(`parameters ${of} has ${own}, which is not for settings: leave it out.`);
  return { ...given, clientSecret: client_secret, hosts: hostsOf(issuer, hosts, of) };
}

/** Whoever names an issuer allows its host. */
function hostsOf(issuer: URL, hosts: string, of: string): Allowed {
  try {
    const host = issuer.port === "" ? issuer.hostname : `${issuer.hostname}:${issuer.port}`;
    return readAllowed([host, hosts].filter((each) => each !== "").join(","));
  } catch (thrown) {
    return wrong(`hosts ${of}: ${asError(thrown).message}.`);
  }
}

/** Whether only this machine can reach it. */
export function isHere({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function wrong(fix: string): never {
  return refuse(SSO_PROVIDERS, "…", fix);
}

function readClients(value: string): readonly URL[] {
  const list = value.split(",").flatMap((each) => each.trim() || []);
  return list.map((each) => {
    const url = URL.parse(each);
    const isRight =
      url && ["http:", "https:"].includes(url.protocol) && url.username === "" && url.search === "" && url.hash === "";
    return isRight
      ? url
      : refuse(SSO_CLIENTS, value, "set it to addresses such as https://app.example.org/, with commas between.");
  });
}
