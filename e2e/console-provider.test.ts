/** An owner sets up a provider of single sign-on: described, tried, and taken away as a setting; with the keyboard, and where it does not go. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { ssoBy, startUpstream, type Upstream, UPSTREAM_CLIENT } from "../testkit/src/upstream.ts";
import { answerWith, type ConsoleWorld, startConsole, tabTo, title } from "./console.ts";
import { skip } from "./fixture.ts";
import { axeFindings, look } from "./look.ts";

const SECRET = UPSTREAM_CLIENT.client_secret;
const WIZARD = "/admin/registration/providers/new";

describe("an owner who sets up a provider", { skip }, () => {
  let upstream: Upstream;
  let world: ConsoleWorld;
  let page: Page;

  before(async () => {
    upstream = await startUpstream({ sub: "1" });
    world = await startConsole();
    upstream.serve(world.server.ctx.publicUrl(), "example-inc");
    page = await world.signedIn("root");
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  });

  after(async () => {
    await world?.[Symbol.asyncDispose]();
    await upstream?.[Symbol.asyncDispose]();
  });

  const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
  const step = (name: string) => page.getByRole("heading", { level: 2, name }).waitFor();
  const copied = async (name: string) => {
    await press(`Copy ${name}`);
    return page.evaluate(() => navigator.clipboard.readText());
  };

  it("describes it, and is told at once what can not be", async () => {
    await page.goto("/admin/registration/providers");
    await press("Set up a provider");
    await title(page, "New provider").waitFor();
    await page.getByLabel("Name").fill("Example Inc.");
    assert.equal(await page.getByLabel("Id", { exact: true }).inputValue(), "example-inc");
    await page.getByLabel("Id", { exact: true }).fill("Example");
    await page.getByLabel("Issuer").fill("sso.example.org");
    await page.getByText("Up to 64 of the characters a-z 0-9 . _ ~ -").waitFor();
    await page.getByText("An address that begins with https://").waitFor();
    assert.ok(await page.getByRole("button", { name: "Next" }).isDisabled());
    await look(page, "console-provider-wrong");
    await page.getByLabel("Id", { exact: true }).fill("example-inc");
    await page.getByLabel("Issuer").fill(upstream.issuer);
    await look(page, "console-provider-1");
  });

  it("goes on with the keyboard alone, and sees what the provider has to know", async () => {
    await page.getByLabel("Issuer").press("Enter");
    await step("What it has to know, and what it gave");
    const at = `${world.server.ctx.publicUrl()}/oauth2/upstream/example-inc`;
    assert.equal(await copied("redirect uri"), `${at}/callback`);
    assert.equal(await copied("back-channel logout uri"), `${at}/logout`);
    await page.getByText("Claims and hosts, where they are not the usual ones").press("Enter");
    await page.getByLabel("Claim with the user name").waitFor();
    await look(page, "console-provider-2");
    await page.getByLabel("Client id").fill("parley");
    await page.getByLabel("Client secret").fill("another");
    await page.getByLabel("Client secret").press("Enter");
  });

  it("sees what is wrong, goes back, and sets it right", async () => {
    await step("The test, and the setting");
    const notice = page.getByRole("alert");
    await notice.getByText(/does not take this server as parley: it refuses the id and the secret/).waitFor();
    await look(page, "console-provider-fails");
    await tabTo(page, page.getByRole("button", { name: "Back" }), "Shift+Tab");
    await page.keyboard.press("Enter");
    await page.getByLabel("Client secret").fill(SECRET);
    await press("Test");
    await page.getByText("It knows this server as parley.").waitFor();
    await look(page, "console-provider-works");
  });

  it("takes the setting away, for each place, and sees the secret in none", async () => {
    const listIn = (text = "") => JSON.parse(text) as { issuer: string; client_secret: string }[];
    const line = await copied("line for .env");
    const [provider] = listIn(/^PARLEY_SSO_PROVIDERS='(.*)'$/.exec(line)?.[1]);
    assert.deepEqual(
      [provider?.issuer, provider?.client_secret],
      [upstream.issuer, "file:///run/secrets/parley-sso-example-inc"],
    );
    assert.equal(listIn(await copied("the list for the store of secrets"))[0]?.client_secret, SECRET);
    await page.getByText("copied, with the secret").waitFor();
    assert.match(await copied("values"), /PARLEY_SSO_PROVIDERS: parley\/sso-providers/);
    assert.match(await copied("external secret"), /kind: ExternalSecret/);
    assert.ok(!(await page.locator("body").innerHTML()).includes(SECRET));
    await page.getByText("External Secret", { exact: true }).scrollIntoViewIfNeeded();
    await look(page, "console-provider-places");
    const kept = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]));
    assert.ok(!kept.includes(SECRET));
  });

  it("is told when the server is away, and when it refuses", async () => {
    await answerWith(page, "/settings/providers/draft", {
      status: 429,
      body: { errcode: "M_LIMIT_EXCEEDED", error: "Too many requests: wait a moment." },
    });
    await press("Test again");
    await page.getByText("Too many requests: wait a moment.").waitFor();
    await page.unrouteAll();
    await page.context().setOffline(true);
    await press("Test again");
    await page.getByText("The server cannot be reached.").first().waitFor();
    await look(page, "console-provider-offline");
    assert.ok(await page.getByRole("button", { name: "Test again" }).isDisabled());
    await page.context().setOffline(false);
  });

  it("waits for what there is, and can ask again where it does not come", async () => {
    const other = await world.signedIn("root");
    await answerWith(other, "/settings/providers", "never");
    await other.goto(WIZARD);
    await other.getByRole("status", { name: "Loading" }).waitFor();
    await other.unrouteAll();
    await answerWith(other, "/settings/providers", {
      status: 500,
      body: { errcode: "M_UNKNOWN", error: "It failed." },
    });
    await other.goto(WIZARD);
    await other.getByRole("button", { name: "Retry" }).waitFor();
    await other.unrouteAll();
    await other.getByRole("button", { name: "Retry" }).click();
    await other.getByLabel("Issuer").waitFor();
    await other.context().close();
  });

  it("is an owner: an auditor sees the providers, and who can set one up", async () => {
    const other = await world.open();
    await other.goto("/admin/");
    await other.getByLabel("User name").fill("adam");
    await other.getByLabel("Password").fill("password of adam");
    await other.getByRole("button", { name: "Sign in" }).click();
    await other.getByRole("navigation", { name: "Screens" }).waitFor();
    await other.goto("/admin/registration/providers");
    assert.ok(await other.getByRole("button", { name: "Set up a provider" }).isDisabled());
    await other.goto(WIZARD);
    await other.getByText("This needs the role owner.").waitFor();
    await look(other, "console-provider-forbidden");
    await other.context().close();
    assert.deepEqual(axeFindings(), []);
    assert.deepEqual(world.complaints, []);
  });
});

describe("an owner who sets up one more provider", { skip }, () => {
  it("is told the entry, which goes beside those that are there", async () => {
    await using upstream = await startUpstream({ sub: "1" });
    await using world = await startConsole({ config: { sso: ssoBy(upstream, { id: "corp", name: "Example Inc." }) } });
    upstream.serve(world.server.ctx.publicUrl(), "corp");
    const page = await world.signedIn("root");
    await page.goto("/admin/registration/providers");
    await page.getByText("Back-channel logout address").waitFor();
    await page.getByRole("button", { name: "Test now" }).click();
    await page.getByText("It knows this server as parley.").waitFor();
    await look(page, "console-providers-some");
    await page.getByRole("button", { name: "Set up a provider" }).click();
    await page.getByLabel("Name").fill("Corp");
    await page.getByText("A provider here has this id already.").waitFor();
    await page.getByLabel("Id", { exact: true }).fill("partners");
    await page.getByLabel("Issuer").fill(upstream.issuer);
    await page.getByLabel("Issuer").press("Enter");
    await page.getByLabel("Client id").fill("parley");
    await page.getByLabel("Client secret").fill(SECRET);
    await page.getByLabel("Client secret").press("Enter");
    await page.getByText("corp: leave what is there").waitFor();
    const entry = await page.getByRole("figure").filter({ hasText: "Entry for .env" }).locator("pre").innerText();
    assert.equal((JSON.parse(entry) as { id: string }).id, "partners");
    await look(page, "console-provider-more");
    assert.deepEqual(axeFindings(), []);
    assert.deepEqual(world.complaints, []);
  });
});
