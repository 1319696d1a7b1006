// A browser with the operator console open, as far as its requests go: it keeps the cookie, and sends the session's token.

import { type Json, type Received, request } from "./http.ts";

export type Browser = {
  /** The value of the Cookie header. */
  cookie: string;
  csrf: string;
  /** The answer's body; throws where the status is not 200. */
  call(method: string, path: string, body?: unknown): Promise<Json>;
  /** The whole answer, whatever its status. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Received>;
};

export const SESSION = "/api/v1/session";

/** A browser in which nobody is signed in. */
export function openBrowser(url: string): Browser {
  const ask: Browser["ask"] = async (...[method, path, body, headers = {}]) => {
    const own = {
      ...(browser.cookie === "" ? {} : { cookie: browser.cookie }),
      ...(method === "GET" ? {} : { origin: new URL(url).origin, "x-csrf-token": browser.csrf }),
    };
    const answer = await request(url, method, path, { body, headers: { ...own, ...headers } });
    const [pair] = (answer.headers.get("set-cookie") ?? "").split(";");
    if (pair) browser.cookie = pair.endsWith("=") ? "" : pair;
    if (typeof answer.body?.csrf_token === "string") browser.csrf = answer.body.csrf_token;
    return answer;
  };
  const call: Browser["call"] = async (method, path, body) => {
    const answer = await ask(method, path, body);
    if (answer.status === 200) return answer.body;
    throw new Error(`${method} ${path} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  };
  const browser: Browser = { cookie: "", csrf: "", call, ask };
  return browser;
}

/** Signs an operator in whom `registerPerson` has registered. */
export async function signInToConsole(url: string, name: string): Promise<Browser> {
  const browser = openBrowser(url);
  await browser.call("POST", SESSION, { user: name, password: `password of ${name}` });
  return browser;
}
