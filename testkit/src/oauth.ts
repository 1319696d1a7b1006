// A person with a browser, for the OAuth 2.0 API: it keeps cookies, follows redirects inside of the server, and fills in forms.

import { createHash, randomBytes } from "node:crypto";
import type { Json } from "./http.ts";

export type Visited = {
  status: number;
  /** Of the page that answered last. */
  url: string;
  /** Where the last answer led, if that is not on the server. */
  location: string | undefined;
  headers: Headers;
  text: string;
};

export type Browser = {
  cookies: Map<string, string>;
  open(url: string): Promise<Visited>;
  /** Sends the page's form that has this text in it, with what is filled in beside what it holds. */
  send(page: Visited, fields: Record<string, string>, within?: string): Promise<Visited>;
  /** Sends what no page holds. */
  post(url: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<Visited>;
};

const REDIRECTS = 10;

type Init = { method?: string; body?: URLSearchParams; headers?: Record<string, string> };

export function openBrowser(server: string): Browser {
  const cookies = new Map<string, string>();

  const ask = async (url: string, init: Init): Promise<Visited> => {
    let [at, how] = [url, init];
    for (let i = 0; i < REDIRECTS; i++) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const response = await fetch(at, { ...how, redirect: "manual", headers: { ...how.headers, cookie } });
      keep(cookies, response);
      const { status, headers } = response;
      const text = await response.text();
      const location = headers.get("location") ?? undefined;
      if (location === undefined) return { status, url: at, location, headers, text };
      // What the server calls localhost is 127.0.0.1 to a test.
      const next = new URL(location, at).href.replace("//localhost:", "//127.0.0.1:");
      if (!next.startsWith(`${server}/`)) return { status, url: at, location, headers, text };
      [at, how] = [next, {}];
    }
    throw new Error(`${url} redirects without an end`);
  };

  const post: Browser["post"] = (url, fields, headers = {}) =>
    ask(new URL(url, server).href, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { origin: server, "sec-fetch-site": "same-origin", ...headers },
    });

  return {
    cookies,
    open: (url) => ask(new URL(url.replace("//localhost:", "//127.0.0.1:"), server).href, {}),
    send(page, fields, within = "") {
      const form = formsIn(page.text).find(({ html }) => html.includes(within));
      if (!form) throw new Error(`there is no such form in ${page.text}`);
      return post(new URL(form.action, page.url).href, { ...form.fields, ...fields });
    },
    post,
  };
}

function keep(cookies: Map<string, string>, response: Response): void {
  for (const line of response.headers.getSetCookie()) {
    const [pair = "", ...attributes] = line.split(";");
    const [name = "", value = ""] = pair.split(/=(.*)/s);
    const isGone = value === "" || attributes.some((each) => /max-age=0|expires=Thu, 01 Jan 1970/i.test(each));
    if (isGone) cookies.delete(name.trim());
    else cookies.set(name.trim(), value);
  }
}

function formsIn(page: string) {
  return [...page.matchAll(/<form[^>]*action="([^"]*)"[^>]*>(.*?)<\/form>/gs)].map(
    ([html, action = "", inside = ""]) => {
      // As in a browser: a box that is not ticked is not sent.
      const sent = inside.replace(/<input(?=[^>]*type="checkbox")(?![^>]*\schecked)[^>]*>/g, "");
      const inputs = sent.matchAll(/<input[^>]*name="([^"]*)"(?:[^>]*?value="([^"]*)")?[^>]*>/g);
      const fields = Object.fromEntries([...inputs].map(([, name = "", value = ""]) => [name, unescaped(value)]));
      return { html, action: unescaped(action), fields };
    },
  );
}

function unescaped(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
}

/** A secret of a client and what it shows of it. RFC 7636. */
export function makePkce(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString("base64url");
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
}

export const CALLBACK = "https://app.example.com/callback";

/** What a well-behaved client says about itself. */
export const METADATA = {
  client_name: "Example App",
  client_uri: "https://example.com/",
  redirect_uris: [CALLBACK],
  response_types: ["code"],
  grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
  token_endpoint_auth_method: "none",
  application_type: "web",
};

export const scopeFor = (deviceId: string) => `urn:matrix:client:api:* urn:matrix:client:device:${deviceId}`;

export type Answered = { status: number; body: Json; headers: Headers };

/** Sends a form to an endpoint of OAuth. */
export async function postForm(url: string, fields: Record<string, string>): Promise<Answered> {
  const response = await fetch(url, { method: "POST", body: new URLSearchParams(fields) });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text), headers: response.headers };
}

export async function registerClient(url: string, metadata: object = METADATA): Promise<Answered> {
  const response = await fetch(`${url}/oauth2/clients/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(metadata),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

/** A client that has registered, and what it does. */
export async function openClient(url: string, metadata: typeof METADATA = METADATA) {
  const { body: registered } = await registerClient(url, metadata);
  const clientId = registered.client_id as string;
  const redirect_uri = metadata.redirect_uris[0] ?? "";
  return {
    clientId,
    authorizeUrl(challenge: string, more: Record<string, string> = {}): string {
      const query = {
        response_type: "code",
        response_mode: "query",
        client_id: clientId,
        redirect_uri,
        scope: scopeFor("OAUTHDEV01"),
        state: "a state",
        code_challenge: challenge,
        code_challenge_method: "S256",
        ...more,
      };
      const given = Object.entries(query).filter(([, value]) => value !== "");
      return `${url}/oauth2/authorize?${new URLSearchParams(given).toString()}`;
    },
    /** `at`: which replica is asked. */
    exchange: (code: string, verifier: string, { at = url, ...more }: Record<string, string> = {}) =>
      postForm(`${at}/oauth2/token`, {
        grant_type: "authorization_code",
        code,
        redirect_uri,
        client_id: clientId,
        ...(verifier === "" ? {} : { code_verifier: verifier }),
        ...more,
      }),
    refresh: (refresh_token: string, at = url) =>
      postForm(`${at}/oauth2/token`, { grant_type: "refresh_token", refresh_token, client_id: clientId }),
    revoke: (token: string, at = url) => postForm(`${at}/oauth2/revoke`, { token, client_id: clientId }),
  };
}

export type OAuthClient = Awaited<ReturnType<typeof openClient>>;

/** Signs somebody in in the browser, on the page where it is, whose password is that of `registerPerson`. */
export function signIn(browser: Browser, page: Visited, name: string): Promise<Visited> {
  return browser.send(page, { user: name, password: `password of ${name}` }, 'name="password"');
}

/** Goes the whole way of a person up to the code. */
export async function codeFor(
  browser: Browser,
  authorizeUrl: string,
  name: string,
): Promise<{ code: string; parameters: URLSearchParams }> {
  let page = await browser.open(authorizeUrl);
  if (page.text.includes('name="password"')) page = await signIn(browser, page, name);
  page = await browser.send(page, { decision: "allow" }, 'value="allow"');
  if (!page.location) throw new Error(`no code came of ${page.status} ${page.text}`);
  const url = new URL(page.location);
  const parameters = new URLSearchParams(url.hash ? url.hash.slice(1) : url.search);
  return { code: parameters.get("code") ?? "", parameters };
}

/** A session that a client has, as a person would get it. */
export async function signInByOAuth(url: string, name: string, deviceId = "OAUTHDEV01") {
  const [client, { verifier, challenge }] = [await openClient(url), makePkce()];
  const authorizeUrl = client.authorizeUrl(challenge, { scope: scopeFor(deviceId) });
  const { code } = await codeFor(openBrowser(url), authorizeUrl, name);
  const { status, body } = await client.exchange(code, verifier);
  if (status !== 200) throw new Error(`the code was answered ${status}: ${JSON.stringify(body)}`);
  return { client, code, verifier, tokens: body };
}
