/** The operators' console in a browser, in front of a real server whose database the test reaches. */
import type { Browser, Locator, Page } from "playwright-core";
import { registerPerson } from "../testkit/src/http.ts";
import { makeAdministrator, makeOperator } from "../testkit/src/operators.ts";
import { startTestServer, type TestServer, type TestServerOptions } from "../testkit/src/server.ts";
import { findChromium, launchChromium } from "./chromium.ts";

const PATIENCE_MS = 40_000;
/** Failed requests are for the tests to judge; what the policy or the code of a page complains about never happens. */
const FAILED_REQUEST = /Failed to load resource/;

export interface ConsoleWorld extends AsyncDisposable {
  server: TestServer;
  browser: Browser;
  /** A page that nobody is signed in on, at the server's address or at another one of it. */
  open(at?: string): Promise<Page>;
  /** A page on which this operator is signed in, at the overview. */
  signedIn(name: string): Promise<Page>;
  complaints: string[];
}

/** A server with the owner `root` and the auditor `adam`, and a browser beside it. */
export async function startConsole(options: TestServerOptions = {}): Promise<ConsoleWorld> {
  const server = await startTestServer(options);
  await makeAdministrator(server, "root");
  await makeOperator(server, "adam", "auditor");
  const browser = await launchChromium(findChromium() ?? "");
  const complaints: string[] = [];
  const open = async (at = server.url) => {
    const context = await browser.newContext({ baseURL: at, viewport: { width: 1280, height: 800 } });
    context.setDefaultTimeout(PATIENCE_MS);
    context.on("console", (told) => {
      if (told.type() === "error" && !FAILED_REQUEST.test(told.text())) complaints.push(told.text());
    });
    context.on("weberror", (error) => complaints.push(`${error.error().stack}`));
    return context.newPage();
  };
  return {
    server,
    browser,
    open,
    complaints,
    async signedIn(name) {
      const page = await open();
      await page.goto("/admin/");
      await signIn(page, name);
      return page;
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await server.stop();
    },
  };
}

/** Gives name and password to the sign-in page; ends at a screen. */
export async function signIn(page: Page, name: string): Promise<void> {
  await page.getByLabel("User name").fill(name);
  await page.getByLabel("Password").fill(`password of ${name}`);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Screens" }).waitFor();
}

/** The title of the screen that is shown. */
export function title(page: Page, name: string | RegExp): Locator {
  return page.getByRole("heading", { level: 1, name });
}

/** Presses Tab until the focus is there, as somebody without a mouse does. */
export async function tabTo(page: Page, target: Locator, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
  await target.waitFor();
  for (let pressed = 0; pressed < 80; pressed += 1) {
    if (await target.evaluate((element) => element.matches(":focus"))) return;
    await page.keyboard.press(key);
  }
  throw new Error(`the key ${key} does not lead to ${String(target)}`);
}

/** Makes an answer of the operator API another one for this page. `path` is below /api/admin/v1, without a query. */
export async function answerWith(
  page: Page,
  path: string,
  answer: { status: number; body: object } | "never",
): Promise<void> {
  await page.route(
    (url) => url.pathname === `/api/admin/v1${path}`,
    (route) =>
      answer === "never"
        ? undefined
        : route.fulfill({
            status: answer.status,
            headers: { "content-type": "application/json", "x-request-id": "r3qu3st1d" },
            body: JSON.stringify(answer.body),
          }),
  );
}

export const people = (server: TestServer, names: readonly string[]) =>
  Promise.all(names.map((name) => registerPerson(server.url, name)));
