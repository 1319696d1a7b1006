/** A person with a passkey, codes from an app and recovery codes: on the server's own pages, and from the messenger. */
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import type { CDPSession, Page } from "playwright-core";
import { codeOf } from "../testkit/src/factors.ts";
import { registerPerson } from "../testkit/src/http.ts";
import { press } from "./door.ts";
import { skip, startWorld, story, type World } from "./fixture.ts";
import { axeFindings, look } from "./look.ts";
import { heading, type Profile } from "./person.ts";

const PASSWORD = "password of ana";

describe("passkeys and second factors", { skip }, () => {
  let world: World;
  let ana: Profile;
  let authenticator: Awaited<ReturnType<typeof addAuthenticator>>;
  let secret = "";
  let recovery: string[] = [];
  const part = story(() => world);

  before(async () => {
    world = await startWorld();
    await registerPerson(world.system.url, "ana");
    ana = await world.fresh();
    authenticator = await addAuthenticator(ana);
  });

  after(() => world?.[Symbol.asyncDispose]());

  part("a passkey is added on the account page", async () => {
    const { page } = ana;
    await page.goto("/oauth2/account/factors");
    await giveName(page);
    await givePassword(page);
    await heading(page, "Passkeys and second factor").waitFor();
    await page.getByLabel("Name of the new passkey").fill("Ana's telephone");
    await authenticator.touches(true);
    await press(page, "Add a passkey");
    await page.getByRole("status").getByText("The passkey is added").waitFor();
    await page.getByText(/^Added \d/).waitFor();
    assert.equal(await authenticator.count(), 1);
    await look(page, "passkeys-added");
  });

  part("signed out, the person signs in with it alone", async () => {
    const { page } = ana;
    await authenticator.touches(false);
    await signOut(page);
    const offered = page.waitForResponse((answer) => answer.url().endsWith("/oauth2/sign-in/passkey/options"));
    await page.goto("/oauth2/sign-in");
    await offered;
    const button = page.getByRole("button", { name: "Sign in with a passkey" });
    await button.waitFor();
    await look(page, "passkeys-sign-in");
    await authenticator.touches(true);
    await button.click();
    await heading(page, "Your account").waitFor();
    await page.goto("/oauth2/account/factors");
    await page.getByText(/last used \d/).waitFor();
  });

  part("without a script there is the password", async () => {
    const context = await world.browser.newContext({ javaScriptEnabled: false, baseURL: world.system.url });
    const page = await context.newPage();
    await page.goto("/oauth2/sign-in");
    assert.equal(await page.getByRole("button", { name: "Sign in with a passkey" }).isVisible(), false);
    await giveName(page);
    await givePassword(page);
    await heading(page, "Your account").waitFor();
    await context.close();
  });

  part("codes from an app are turned on by the first of them", async () => {
    const { page } = ana;
    await page.goto("/oauth2/account/factors");
    await press(page, "Set up codes");
    await page.getByRole("img", { name: /^QR code/ }).waitFor();
    secret = (await page.locator("code").innerText()).replaceAll(" ", "");
    await look(page, "passkeys-set-up-codes");
    await page.getByLabel("Code that the app shows").fill(codeOf(secret));
    await press(page, "Turn codes on");
    await heading(page, "Your new recovery codes").waitFor();
    recovery = await page.locator("ul.codes code").allInnerTexts();
    assert.equal(recovery.length, 10);
    await look(page, "passkeys-recovery-codes");
  });

  part("the password alone is not enough any more, and a recovery code is good", async () => {
    const { page } = ana;
    await authenticator.touches(false);
    await signOut(page);
    await page.goto("/oauth2/sign-in");
    await giveName(page);
    await givePassword(page);
    await heading(page, "Your code").waitFor();
    await look(page, "passkeys-code");
    await page.getByLabel("Code").fill(recovery[0] ?? "");
    await press(page, "Continue");
    await heading(page, "Your account").waitFor();
    await page.goto("/oauth2/account/factors");
    await page.getByText("9 left").waitFor();
  });

  part("the messenger sends the person to the server's page, and takes them in when they come back", async () => {
    const messenger = await world.fresh();
    const { page, complaints } = messenger;
    await page.goto("/login");
    await giveName(page);
    await givePassword(page);
    await page.getByText("This account also has a second factor").waitFor();
    // The browser notes in its console that the password was refused.
    complaints.splice(0);
    await look(page, "passkeys-messenger");
    await press(page, "Continue in the browser");
    await giveName(page);
    await givePassword(page);
    await heading(page, "Your code").waitFor();
    await page.getByLabel("Code").fill(codeOf(secret, 1));
    await press(page, "Continue");
    await press(page, /^Continue as @ana/);
    await heading(page, "Your recovery key").waitFor();
    assert.doesNotMatch(page.url(), /loginToken/);
  });

  part("no page has complained, and axe has found nothing", async () => {
    assert.deepEqual(world.complaints(), []);
    assert.deepEqual(axeFindings(), []);
  });
});

/** An authenticator of the browser's own making, in which somebody is always recognised. */
async function addAuthenticator({ context, page }: Profile) {
  const session: CDPSession = await context.newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: false,
    },
  });
  return {
    /** Whether somebody touches it when it asks. */
    touches: (enabled: boolean) =>
      session.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled }),
    async count() {
      return (await session.send("WebAuthn.getCredentials", { authenticatorId })).credentials.length;
    },
  };
}

function giveName(page: Page): Promise<void> {
  return page.getByLabel("User name").fill("ana");
}

async function givePassword(page: Page): Promise<void> {
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

async function signOut(page: Page): Promise<void> {
  await page.goto("/oauth2/account");
  await press(page, "Sign this browser out");
  await heading(page, "Signed out").waitFor();
}
