/** What a client says about itself when it registers. Specification: client-server-api, "Client metadata". */
import { z } from "zod";
import { limits } from "../../limits.ts";

export const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";
export const grantTypes = ["authorization_code", "refresh_token", DEVICE_GRANT] as const;

/** What a name or an address can not have in it: the database keeps neither NUL nor half of a surrogate pair. */
const isText = (given: string) => given.isWellFormed() && !given.includes("\0");
const text = z
  .string()
  .max(limits.oauthClientText_characters)
  .refine(isText, "it has a character that can not be stored");

const schema = z.looseObject({
  client_uri: text,
  client_name: text.optional(),
  logo_uri: text.optional(),
  tos_uri: text.optional(),
  policy_uri: text.optional(),
  redirect_uris: z.array(text).max(limits.oauthRedirects).default([]),
  response_types: z.array(z.string()).max(limits.oauthRedirects).default(["code"]),
  grant_types: z.array(z.string()).max(limits.oauthRedirects).default(["authorization_code"]),
  application_type: z.string().default("web"),
});

/** As it is kept: checked, completed, and without what the server does not know. */
export interface ClientMetadata {
  client_uri: string;
  client_name?: string | undefined;
  logo_uri?: string | undefined;
  tos_uri?: string | undefined;
  policy_uri?: string | undefined;
  redirect_uris: string[];
  response_types: "code"[];
  grant_types: string[];
  application_type: "web" | "native";
  token_endpoint_auth_method: "none";
}

/** Errors of RFC 7591, section 3.2.2. */
export class RefusedClient extends Error {
  readonly code: "invalid_redirect_uri" | "invalid_client_metadata";

  constructor(code: RefusedClient["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** Checks what a client says about itself. Throws RefusedClient. */
export function checkClient(given: unknown): ClientMetadata {
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refused(`${issue?.path.join(".") || "The body"}: ${issue?.message ?? "it is not valid"}`);
  }
  const { client_uri, client_name, redirect_uris, application_type: type } = parsed.data;
  if (type !== "web" && type !== "native") throw refused("application_type is web or native.");
  const base = httpsUri("client_uri", client_uri);
  const links = (["logo_uri", "tos_uri", "policy_uri"] as const).flatMap((name) => {
    const uri = parsed.data[name];
    if (uri === undefined) return [];
    if (!isBelow(httpsUri(name, uri), base)) throw refused(`${name} must be on the host of client_uri or below it.`);
    return [[name, uri] as const];
  });
  for (const uri of redirect_uris) checkRedirect(uri, base, type);
  return {
    client_uri,
    ...(client_name ? { client_name } : {}),
    ...Object.fromEntries(links),
    redirect_uris: [...new Set(redirect_uris)],
    ...flowsOf(parsed.data, redirect_uris.length > 0),
    application_type: type,
    // Clients without a secret are all that Matrix has: who asks for another method is told that it is none.
    token_endpoint_auth_method: "none",
  };
}

type Flows = Pick<ClientMetadata, "grant_types" | "response_types">;
interface Wanted {
  grant_types: readonly string[];
  response_types: readonly string[];
}

/** What the server knows of what the client wants: the rest is passed over, as the specification asks. */
function flowsOf(given: Wanted, hasRedirects: boolean): Flows {
  const wanted = grantTypes.filter((each) => given.grant_types.includes(each));
  const isByCode = wanted.includes("authorization_code") && given.response_types.includes("code");
  if (isByCode && !hasRedirects)
    throw new RefusedClient("invalid_redirect_uri", "The authorisation code grant needs a redirect_uri.");
  const types = isByCode ? wanted : wanted.filter((each) => each !== "authorization_code");
  if (!types.some((each) => each !== "refresh_token"))
    throw refused("grant_types must have authorization_code (with the response type code) or the device code grant.");
  return { grant_types: types, response_types: isByCode ? ["code"] : [] };
}

/** The rules for `https` addresses; gives the parsed one. */
function httpsUri(name: string, uri: string): URL {
  const url = URL.parse(uri);
  if (url?.protocol !== "https:") throw refused(`${name} must be an address with https.`);
  if (url.username !== "" || url.password !== "") throw refused(`${name} must not have a user or a password.`);
  return url;
}

function isBelow(url: URL, base: URL): boolean {
  return url.hostname === base.hostname || url.hostname.endsWith(`.${base.hostname}`);
}

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Specification: "Redirect URI validation". */
function checkRedirect(uri: string, base: URL, type: ClientMetadata["application_type"]): void {
  const url = URL.parse(uri);
  const fail = (why: string) => new RefusedClient("invalid_redirect_uri", `${uri} can not be a redirect_uri: ${why}`);
  if (!url) throw fail("it is no address.");
  if (uri.includes("#")) throw fail("it has a fragment.");
  if (url.username !== "" || url.password !== "") throw fail("it has a user or a password.");
  if (url.protocol === "https:") {
    if (!isBelow(url, base)) throw fail(`it is not on ${base.hostname} or below it.`);
    return;
  }
  if (type === "web") throw fail("a web client has addresses with https.");
  if (url.protocol === "http:") {
    if (!LOOPBACK.has(url.hostname)) throw fail("http is for localhost, 127.0.0.1 and [::1] alone.");
    if (hasPort(uri)) throw fail("on this machine it has no port: any is taken.");
    return;
  }
  checkPrivateScheme(uri, base, fail);
}

/** A port that is the scheme's own is not in a parsed address. */
function hasPort(uri: string): boolean {
  return /^http:\/\/(\[[^\]]*\]|[^/:?[]*):/i.test(uri);
}

/** Of `example.com`: `com.example:/callback`, `com.example.app:callback`, and nothing with an authority. */
function checkPrivateScheme(uri: string, base: URL, fail: (why: string) => Error): void {
  const scheme = uri.slice(0, uri.indexOf(":")).toLowerCase();
  const reversed = base.hostname.split(".").toReversed().join(".");
  // A host without a dot would make any scheme one's own: javascript too.
  if (!reversed.includes(".")) throw fail("client_uri has no domain whose reverse could be a scheme.");
  if (scheme !== reversed && !scheme.startsWith(`${reversed}.`))
    throw fail(`its scheme does not begin with ${reversed}.`);
  if (uri.slice(scheme.length + 1).startsWith("//")) throw fail("there is no host after a scheme of one's own.");
}

function refused(message: string): RefusedClient {
  return new RefusedClient("invalid_client_metadata", message);
}
