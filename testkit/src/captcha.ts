// A provider of reCAPTCHA 2 on loopback: its verifier speaks the protocol of the real one, and its widget is a button.

import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type Captcha, readCaptcha } from "../../server/src/auth/captcha/config.ts";

export type CaptchaProvider = AsyncDisposable & {
  /** What a server has to be told of it, as its configuration. */
  config: Captcha;
  /** What the widget says when somebody has solved it; good once. */
  solve(): string;
  /** What the verifier was asked, each as a form. */
  asked: URLSearchParams[];
  /** Answers with this instead, while it is set. */
  broken: { status: number; body: string } | undefined;
};

export const SITE_KEY = "site-key_of-parley";
export const SECRET = "secret key of parley";

/** The real widget, too, looks for its place by the class and adds this field. It comes from elsewhere, and styles what it adds. */
const widget = (response: string) => `
  for (const place of document.querySelectorAll(".g-recaptcha[data-sitekey='${SITE_KEY}']")) {
    const field = document.createElement("textarea");
    field.name = "g-recaptcha-response";
    field.setAttribute("style", "display: none");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "I am not a robot";
    button.onclick = () => { field.value = ${JSON.stringify(response)}; button.textContent = "Verified"; };
    place.append(button, field);
  }`;

export async function startCaptcha(): Promise<CaptchaProvider> {
  const solved = new Set<string>();
  const solve = () => {
    const response = randomUUID();
    solved.add(response);
    return response;
  };
  const http = createServer((request, response) => {
    if (request.url === "/recaptcha/api.js")
      return void response.setHeader("content-type", "text/javascript").end(widget(solve()));
    if (request.url !== "/recaptcha/api/siteverify" || request.method !== "POST")
      return void response.writeHead(404).end();
    void read(request).then((form) => {
      provider.asked.push(form);
      const { status, body } = provider.broken ?? { status: 200, body: JSON.stringify(verdictOf(form, solved)) };
      response.writeHead(status, { "content-type": "application/json" }).end(body);
    });
  });
  await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  const base = `http://127.0.0.1:${(http.address() as AddressInfo).port}/recaptcha`;
  const config = readCaptcha({
    PARLEY_RECAPTCHA_SITE_KEY: SITE_KEY,
    PARLEY_RECAPTCHA_SECRET: SECRET,
    PARLEY_RECAPTCHA_URL: base,
  });
  if (!config) throw new Error("there is no captcha in the settings");
  const provider: CaptchaProvider = {
    config,
    solve,
    asked: [],
    broken: undefined,
    [Symbol.asyncDispose]: async () => {
      http.closeAllConnections();
      await new Promise((closed) => http.close(closed));
    },
  };
  return provider;
}

/** As https://developers.google.com/recaptcha/docs/verify says. */
function verdictOf(form: URLSearchParams, solved: Set<string>): object {
  if (form.get("secret") !== SECRET) return { success: false, "error-codes": ["invalid-input-secret"] };
  const isGood = solved.delete(form.get("response") ?? "");
  if (!isGood) return { success: false, "error-codes": ["timeout-or-duplicate"] };
  return { success: true, challenge_ts: "2026-01-01T00:00:00Z", hostname: "localhost" };
}

async function read(request: IncomingMessage): Promise<URLSearchParams> {
  const pieces: Buffer[] = [];
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
  return new URLSearchParams(Buffer.concat(pieces).toString());
}
