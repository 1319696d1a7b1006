/** Somebody adds an address to their account, forgets the password, and sets another by mail. */
import { after, before, describe, it } from "node:test";
import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { request } from "../testkit/src/http.ts";
import { linkTo, type MailServer, startMail } from "../testkit/src/mail.ts";
import { startTestServer, type TestServer } from "../testkit/src/server.ts";
import { findChromium, launchChromium } from "./chromium.ts";
import { confirmPassword, openSettings, press } from "./door.ts";
import { settle, skip } from "./fixture.ts";
import { axeFindings, look } from "./look.ts";
import { freshProfile, heading, type Profile } from "./person.ts";

const ANA = { userName: "ana", password: "green evening light" };
const ADDRESS = "ana@example.org";
const NEXT_PASSWORD = "a louder green evening";

describe("an e-mail address", { skip }, () => {
  let mails: MailServer;
  let server: TestServer;
  let browser: Browser;
  let ana: Profile;

  before(async () => {
    mails = await startMail();
    const mail = { url: mails.url, from: "Parley <parley@example.org>", atRegistration: "off" } as const;
    server = await startTestServer({ config: { mail } });
    browser = await launchChromium(findChromium() ?? "");
    ana = await freshProfile(browser, server.ctx.publicUrl());
    await settle(ana, ANA);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
    await mails?.[Symbol.asyncDispose]();
  });

  /** Presses the button behind the newest link. */
  async function confirm(button: string): Promise<void> {
    const page = await ana.context.newPage();
    await page.goto(linkTo(mails, ADDRESS).href);
    await look(page, "email-confirm");
    await page.getByRole("button", { name: button }).click();
    await page.getByRole("heading", { name: "Confirmed" }).waitFor();
    await page.close();
  }

  it("is added when the page in the mail was confirmed, and not before", async () => {
    await openSettings(ana.page, "profile", "Profile");
    await ana.page.getByLabel("Another address").fill(ADDRESS);
    await press(ana.page, "Send a mail");
    await ana.page.getByText("A mail is on its way.").waitFor();
    await press(ana.page, "I have confirmed it");
    await confirmPassword(ana.page, ANA.password);
    await ana.page.getByText("The address is not confirmed yet.").waitFor();
    await confirm("Add the address");
    await press(ana.page, "I have confirmed it");
    await confirmPassword(ana.page, ANA.password);
    await ana.page.getByRole("button", { name: `Remove ${ADDRESS}` }).waitFor();
    await look(ana.page, "email-settings");
  });

  it("sets a new password, signs every device out, and signs its person in", async () => {
    const other = await freshProfile(browser, server.ctx.publicUrl());
    await other.page.goto("/login");
    await other.page.getByRole("link", { name: "Forgot your password?" }).click();
    await look(other.page, "email-forgot");
    await other.page.getByLabel("E-mail address").fill("nobody@example.org");
    await press(other.page, "Send me a mail");
    await other.page.getByText("No account here has this address.").waitFor();
    await other.page.getByLabel("E-mail address").fill(ADDRESS);
    await press(other.page, "Send me a mail");
    await other.page.getByRole("textbox", { name: "New password" }).fill(NEXT_PASSWORD);
    await press(other.page, "Set the new password");
    await other.page.getByText("The address is not confirmed yet.").waitFor();
    await look(other.page, "email-new-password");
    await confirm("Yes, that was me");
    await press(other.page, "Set the new password");
    await heading(other.page, "Sign in").waitFor();
    await heading(ana.page, "Sign in").waitFor();
    await other.page.getByLabel("User name").fill(ADDRESS);
    await other.page.getByRole("textbox", { name: "Password" }).fill(NEXT_PASSWORD);
    await press(other.page, "Sign in");
    await other.page.getByText("Use your recovery key").first().waitFor();
  });

  it("is proved on the page of the stage for an application that knows no such stage, which is told when it is", async () => {
    const mail = { url: mails.url, from: "Parley <parley@example.org>", atRegistration: "required" } as const;
    await using strict = await startTestServer({ config: { mail } });
    const newcomer = { username: "ben", password: NEXT_PASSWORD };
    const register = (auth?: object) =>
      request(strict.url, "POST", "/_matrix/client/v3/register", { body: { ...newcomer, auth } });
    const { session } = (await register()).body;
    const context = await browser.newContext({ baseURL: strict.ctx.publicUrl() });
    const application = await context.newPage();
    const opened = context.waitForEvent("page");
    const address = `${strict.ctx.publicUrl()}/_matrix/client/v3/auth/m.login.email.identity/fallback/web?session=${session}`;
    const told = application.evaluate(
      (url) =>
        new Promise((resolve) => {
          window.addEventListener("message", ({ data, origin }) => resolve({ data, origin }));
          window.open(url);
        }),
      address,
    );
    const page = await opened;
    const violations: string[] = [];
    page.on("console", (said) => said.text().includes("Content Security Policy") && violations.push(said.text()));
    await page.getByLabel("E-mail address").fill("ben@example.org");
    await look(page, "email-stage-ask");
    await page.getByRole("button", { name: "Send the mail" }).click();
    await page.getByRole("heading", { name: "A mail is on its way" }).waitFor();
    await look(page, "email-stage-wait");
    await page.getByRole("button", { name: "I have confirmed it" }).click();
    await page.getByText("The address is not confirmed yet.").waitFor();
    await page.getByRole("button", { name: "Use another address" }).click();
    await page.getByLabel("E-mail address").fill("ben2@example.org");
    await page.getByRole("button", { name: "Send the mail" }).click();
    await page.getByText("ben2@example.org").waitFor();
    const reader = await context.newPage();
    await reader.goto(linkTo(mails, "ben2@example.org").href);
    await reader.getByRole("button", { name: "Yes, it is mine" }).click();
    await reader.getByRole("heading", { name: "Confirmed" }).waitFor();
    // Nobody touches the page that waits.
    await page.getByRole("heading", { name: "Thank you" }).waitFor();
    assert.deepEqual(await told, { data: "authDone", origin: new URL(address).origin });
    assert.deepEqual(violations, []);
    assert.equal((await register({ type: "m.login.dummy", session })).status, 200);
    await context.close();
  });

  it("axe finds nothing on any of these screens", () => {
    assert.deepEqual(axeFindings(), []);
  });
});
