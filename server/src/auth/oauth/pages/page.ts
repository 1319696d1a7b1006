/**
 * The pages of the authorisation server: plain HTML and one style sheet, so that they work in whatever browser an application opens, and
 * nothing that somebody writes into a name can ever run. Those where a passkey may be used have one script file besides, and do without it.
 */
import type { Context } from "../../../context.ts";
import { MatrixError } from "../../../errors.ts";
import { Answer } from "../../../http.ts";
import { paths } from "../addresses.ts";

/** HTML that may stand in a page as it is. Texts that come from anywhere become this by `html` alone. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = Html | string | number | undefined | readonly Html[];

/** HTML of a template, in which every text is escaped: html`<p>${name}</p>`. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.map((piece, i) => piece + (i < parts.length ? written(parts[i]) : "")).join(""));
}

function written(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "string" || typeof part === "number") return escaped(String(part));
  return part.map((each) => each.text).join("");
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export interface Page {
  title: string;
  content: Html;
  status?: number;
  headers?: Record<string, string>;
  /** Where a form of the page may lead besides the server itself: an application's own address. */
  leadsTo?: string;
  /** The path of the one script file of the page. */
  script?: string;
}

/** The whole page. */
export function page(ctx: Context, { title, content, status = 200, headers = {}, leadsTo, script }: Page): Answer {
  const text = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title} · ${ctx.config.serverName}</title>
        <link rel="stylesheet" href="${paths.style}" />
        ${script === undefined ? undefined : html`<script src="${script}" type="module"></script>`}
      </head>
      <body>
        <main>
          <p class="server">${ctx.config.serverName}</p>
          <h1>${title}</h1>
          ${content}
        </main>
      </body>
    </html> `;
  return new Answer({
    status,
    headers: { ...SECURITY, ...policy({ leadsTo, script }), ...headers },
    payload: text.text,
  });
}

const SECURITY = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
};

/** A script asks the server for what a passkey is to sign, and makes no HTML. */
const SCRIPTS = "script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; ";

/** Browsers hold a redirect that follows a form against `form-action` too. */
function policy({ leadsTo, script }: Partial<Pick<Page, "leadsTo" | "script">>): Record<string, string> {
  const target = leadsTo === undefined ? "" : ` ${sourceOf(leadsTo)}`;
  return {
    "content-security-policy": `default-src 'none'; style-src 'self'; ${script === undefined ? "" : SCRIPTS}form-action 'self'${target}; base-uri 'none'; frame-ancestors 'none'`,
  };
}

/** An address as a source of a policy: its origin, or the scheme where that is an application's own. */
function sourceOf(address: string): string {
  const { origin, protocol } = new URL(address);
  return origin === "null" ? protocol : origin;
}

/** See Other: the browser asks for the next page with GET. */
export function redirect(location: string, headers: Record<string, string> = {}): Answer {
  return new Answer({ status: 303, headers: { ...SECURITY, ...policy({}), location, ...headers }, payload: "" });
}

/** Nobody's fault, and over soon. */
const LATER: readonly string[] = ["IO_PARLEY_MAINTENANCE", "IO_PARLEY_UNAVAILABLE"];

/** Whether it was refused with a sentence for whoever sees the page. */
export function isForPeople(thrown: unknown): thrown is MatrixError {
  return thrown instanceof MatrixError && (thrown.status < 500 || LATER.includes(thrown.errcode));
}

/** Why a form is shown again. */
export interface Refusal {
  status: number;
  problem: string;
}

/** What the page of a form says of what was refused; what nobody expected is thrown on. */
export function refusalOf(thrown: unknown): Refusal {
  if (!isForPeople(thrown)) throw thrown as Error;
  return { status: thrown.status, problem: thrown.message };
}

type PageHandle<R> = (request: R, ctx: Context) => Promise<Answer>;

/** The handler of a page: what is refused is said on a page too. */
export function shown<R>(handle: PageHandle<R>): PageHandle<R> {
  return async (request, ctx) => {
    try {
      return await handle(request, ctx);
    } catch (thrown) {
      if (!isForPeople(thrown)) throw thrown;
      return message(ctx, thrown.status, { title: "That did not work", sentence: thrown.message });
    }
  };
}

/** What went wrong, above a form. */
export function problem(text: string | undefined): Html | undefined {
  return text === undefined ? undefined : html`<p class="problem" role="alert">${text}</p>`;
}

/** A page that says something and has no form. */
export function message(ctx: Context, status: number, text: { title: string; sentence: string }): Answer {
  return page(ctx, { status, title: text.title, content: html`<p>${text.sentence}</p>` });
}
