/** A person signs an application in through the server's own pages, in a browser that runs no script. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { registerPerson, request } from "../testkit/src/http.ts";
import { startCaptcha } from "../testkit/src/captcha.ts";
import { makePkce, METADATA, openClient, postForm, scopeFor } from "../testkit/src/oauth.ts";
import { startTestServer, type TestServer } from "../testkit/src/server.ts";
import { testTerms } from "../testkit/src/terms.ts";
import { findChromium, launchChromium } from "./chromium.ts";
import { skip } from "./fixture.ts";
import { axeFindings, look } from "./look.ts";
import { heading } from "./person.ts";

describe("the sign-in pages", { skip }, () => {
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  let app: Awaited<ReturnType<typeof startApp>>;

  before(async () => {
    server = await startTestServer();
    await registerPerson(server.url, "ana");
    app = await startApp();
    browser = await launchChromium(findChromium() ?? "");
    page = await browser.newPage();
  });

  after(async () => {
    await browser?.close();
    await app?.[Symbol.asyncDispose]();
    await server?.stop();
  });

  const at = (path: string) => server.ctx.publicUrl() + path;

  it("an application sends a person here, and gets them back with a code that is good", async () => {
    const native = { ...METADATA, application_type: "native", redirect_uris: ["http://127.0.0.1/callback"] };
    const client = await openClient(server.ctx.publicUrl(), native);
    const { verifier, challenge } = makePkce();
    await page.goto(client.authorizeUrl(challenge, { redirect_uri: app.redirect_uri, scope: scopeFor("BROWSERDEV") }));
    await look(page, "oauth-sign-in");
    await page.getByLabel("User name").fill("ana");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("alert").getByText("The user name or the password is not right.").waitFor();
    assert.equal(await page.getByLabel("User name").inputValue(), "ana");
    await look(page, "oauth-sign-in-wrong");
    await page.getByLabel("Password").fill("password of ana");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("heading", { name: "Let Example App in?" }).waitFor();
    await look(page, "oauth-consent");
    await page.getByRole("button", { name: "Continue" }).click();
    const code = (await app.called).searchParams.get("code") ?? "";
    const { body } = await client.exchange(code, verifier, { redirect_uri: app.redirect_uri });
    const whoami = await request(server.url, "GET", "/_matrix/client/v3/account/whoami", { token: body.access_token });
    assert.equal(whoami.body.user_id, "@ana:localhost");
  });

  it("a device is let in by its code, without a script", async () => {
    const quiet = await browser.newContext({
      javaScriptEnabled: false,
      storageState: await page.context().storageState(),
    });
    const still = await quiet.newPage();
    const { clientId } = await openClient(server.url);
    const { body } = await postForm(at("/oauth2/device"), { client_id: clientId, scope: scopeFor("TELEVISION") });
    await still.goto(body.verification_uri);
    await still.getByLabel("Code").fill(body.user_code.toLowerCase());
    await still.getByRole("button", { name: "Continue" }).click();
    await still.getByText("TELEVISION").waitFor();
    await still.getByRole("button", { name: "Continue" }).click();
    await still.getByRole("heading", { name: "Done" }).waitFor();
    await quiet.close();
    await page.goto(body.verification_uri);
    await look(page, "oauth-link");
  });

  it("the account page and what belongs to it are readable in both themes and on a phone", async () => {
    await page.goto(at("/oauth2/account"));
    await page.getByRole("heading", { name: "Your account" }).waitFor();
    await look(page, "oauth-account");
    await page.goto(at("/oauth2/account?action=org.matrix.account_deactivate"));
    await look(page, "oauth-deactivate");
    await page.goto(at("/oauth2/register"));
    await look(page, "oauth-register");
  });

  it("who makes an account accepts the policies, in the messenger and on the page of the stage", async () => {
    await using strict = await startTestServer({ config: { terms: testTerms() } });
    const context = await browser.newContext({ baseURL: strict.ctx.publicUrl(), locale: "fr-FR" });
    const messenger = await context.newPage();
    await messenger.goto("/register");
    await messenger.getByLabel("User name").fill("ben");
    await messenger.getByLabel("Password", { exact: true }).fill("nine paper lanterns");
    const create = messenger.getByRole("button", { name: "Create account" });
    await messenger.getByRole("checkbox", { name: "Conditions" }).check();
    assert.equal(await create.isDisabled(), true, "one box is empty");
    assert.equal(
      await messenger.getByRole("link", { name: "Conditions" }).getAttribute("href"),
      "https://e.example/fr",
    );
    await look(messenger, "terms-messenger");
    await messenger.getByRole("checkbox", { name: "Privacy" }).check();
    await create.click();
    await heading(messenger, "Your recovery key").waitFor();
    const pages = await context.newPage();
    const { body } = await request(strict.url, "POST", "/_matrix/client/v3/register", { body: { username: "cara" } });
    await pages.goto(`/_matrix/client/v3/auth/m.login.terms/fallback/web?session=${body.session}`);
    for (const name of ["Conditions", "Privacy"]) await pages.getByRole("checkbox", { name }).check();
    await pages.getByRole("button", { name: "Continue" }).click();
    await pages.getByRole("heading", { name: "Thank you" }).waitFor();
    await context.close();
  });

  it("who shows on the server's page that they are no robot comes back to the messenger with an account", async () => {
    await using provider = await startCaptcha();
    await using strict = await startTestServer({ config: { captcha: provider.config, terms: testTerms() } });
    const context = await browser.newContext({ baseURL: strict.ctx.publicUrl() });
    const newcomer = await context.newPage();
    const refused: string[] = [];
    newcomer.on("console", (told) => told.type() === "error" && refused.push(told.text()));
    await newcomer.goto("/register");
    await newcomer.getByRole("button", { name: "Go to the page" }).click();
    await newcomer.getByLabel("User name").fill("dora");
    for (const label of ["Password", "Password again"])
      await newcomer.getByLabel(label).first().fill("nine paper lanterns");
    for (const name of ["Terms", "Privacy"]) await newcomer.getByRole("checkbox", { name }).check();
    await newcomer.getByRole("button", { name: "I am not a robot" }).click();
    await newcomer.getByRole("button", { name: "Verified" }).waitFor();
    await look(newcomer, "oauth-register-all");
    assert.deepEqual(
      refused.filter((text) => text.includes("Content Security Policy")),
      [],
    );
    await newcomer.getByRole("button", { name: "Make the account" }).click();
    await newcomer.getByRole("button", { name: "Continue as @dora:localhost" }).click();
    await heading(newcomer, "Your recovery key").waitFor();
    await context.close();
  });

  it("axe finds nothing on any of these pages", () => assert.deepEqual(axeFindings(), []));
});

/** An application on this machine that waits for its answer. */
async function startApp() {
  let answer = (_url: URL): void => {};
  const called = new Promise<URL>((resolve) => (answer = resolve));
  const server = createServer((incoming, outgoing) => {
    outgoing.end("You can go back to the application.");
    const url = new URL(incoming.url ?? "/", "http://127.0.0.1");
    if (url.pathname === "/callback") answer(url);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { redirect_uri: `http://127.0.0.1:${port}/callback`, called, [Symbol.asyncDispose]: close };
}
