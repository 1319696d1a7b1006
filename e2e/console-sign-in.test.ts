/** An operator without a password comes into the console by a provider, acts, and shows there again who they are. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Locator, Page } from "playwright-core";
import { factorsConfig, setUpCodes } from "../testkit/src/factors.ts";
import { ssoBy, startUpstream, type Upstream } from "../testkit/src/upstream.ts";
import { type ConsoleWorld, people, signIn, startConsole, title } from "./console.ts";
import { skip } from "./fixture.ts";
import { axeFindings, look } from "./look.ts";

const SESSION = "/api/v1/session";
const OLGA = { sub: "olga there", preferred_username: "olga" };

describe("signing in to the console by a provider", { skip }, () => {
  let upstream: Upstream;
  let world: ConsoleWorld;
  let page: Page;

  before(async () => {
    upstream = await startUpstream(OLGA);
    world = await startConsole({
      config: { ...factorsConfig(), sso: ssoBy(upstream, { id: "corp", name: "Example Inc." }) },
    });
    upstream.serve(world.server.ctx.publicUrl(), "corp");
    await people(world.server, ["ben"]);
    // The provider leads back to the public address, which cookies are of.
    page = await world.open(world.server.ctx.publicUrl());
  });

  after(async () => {
    await world?.[Symbol.asyncDispose]();
    await upstream?.[Symbol.asyncDispose]();
  });

  const byProvider = (on: Page) => on.getByRole("link", { name: "Continue with Example Inc." }).click();

  it("tells whoever the provider knows and is no operator that they are none", async () => {
    await page.goto("/admin/users?q=ben");
    await page.getByRole("link", { name: "Sign in with a passkey" }).waitFor();
    await look(page, "console-sign-in-ways");
    await byProvider(page);
    await page.getByText("@olga:localhost is no operator of this server.").waitFor();
    await look(page, "console-no-operator");
  });

  it("lets another in by password from there, at the screen that was asked for", async () => {
    const other = await world.open(world.server.ctx.publicUrl());
    await other.goto("/admin/users?q=ben");
    await byProvider(other);
    await other.getByText("@olga:localhost is no operator of this server.").waitFor();
    await signIn(other, "root");
    await other.getByText("@ben:localhost").waitFor();
    assert.equal(new URL(other.url()).pathname, "/admin/users");
    await other.close();
  });

  it("lets an operator in, at the screen that was asked for, though that nobody was signed in is answered last", async () => {
    await world.server.ctx.db.console.change(
      "insert into console.operators (user_id, role) values ('@olga:localhost', 'operator')",
    );
    const taken = page.waitForResponse(`**${SESSION}/from-pages`);
    await page.route(`**${SESSION}`, async (route) => {
      const response = await route.fetch();
      await taken;
      await route.fulfill({ response });
    });
    await byProvider(page);
    await title(page, "Users").waitFor();
    await page.getByText("@ben:localhost").waitFor();
    assert.equal(new URL(page.url()).search, "?q=ben");
    await page.unroute(`**${SESSION}`);
  });

  it("asks them to sign in again before a write when the last time was long ago, and then does it", async () => {
    await world.server.ctx.db.console.change(
      "update console.sessions set data = jsonb_set(data::jsonb, '{confirmed_ms}', '0')::text",
    );
    await page.goto("/admin/users/@ben:localhost");
    await page.getByRole("button", { name: "Act" }).click();
    await page.getByRole("menuitem", { name: "Suspend" }).click();
    const asked = page.getByRole("alertdialog", { name: "Suspend @ben:localhost?" });
    await asked.getByLabel("Reason").fill("A lost laptop");
    await asked.getByRole("button", { name: "Suspend" }).click();
    const again = page.getByRole("dialog", { name: "Is this still you?" });
    await again.getByRole("button", { name: "Sign in again" }).waitFor();
    await look(page, "console-confirm-by-pages");
    const opened = page.context().waitForEvent("page");
    await again.getByRole("button", { name: "Sign in again" }).click();
    await byProvider(await opened);
    await page.getByText("Suspended @ben:localhost.").waitFor();
  });

  it("shows the provider, and that it works now", async () => {
    await page.goto("/admin/registration/providers");
    await page.getByRole("button", { name: "Test now" }).click();
    await page.getByText("It works").waitFor();
    await page.getByText("It knows this server as parley.").waitFor();
    await look(page, "console-providers-tried");
  });

  it("asks whoever has a second factor for a code, at the sign-in and before a write", async () => {
    const { codes } = await setUpCodes(world.server.url, "root");
    const own = await world.open();
    const type = (on: Page | Locator, name: string, text = "") => on.getByLabel(name).fill(text);
    await own.goto("/admin/users/@ben:localhost");
    await type(own, "User name", "root");
    await type(own, "Password", "password of root");
    await own.getByRole("button", { name: "Sign in" }).click();
    await type(own, "Code", codes[0]);
    await own.getByRole("button", { name: "Sign in" }).click();
    await own.getByRole("button", { name: "Act" }).waitFor();
    await world.server.ctx.db.console.change(
      "update console.sessions set data = jsonb_set(data::jsonb, '{confirmed_ms}', '0')::text",
    );
    await own.getByRole("button", { name: "Act" }).click();
    await own.getByRole("menuitem", { name: "Let in again" }).click();
    const asked = own.getByRole("dialog", { name: "Let @ben:localhost in again?" });
    await asked.getByLabel("Reason").fill("It was found");
    await asked.getByRole("button", { name: "Let in again" }).click();
    const again = own.getByRole("dialog", { name: "Is this still you?" });
    await type(again, "Password", "password of root");
    await again.getByRole("button", { name: "Go on" }).click();
    await type(again, "Code", codes[0]);
    await again.getByRole("button", { name: "Go on" }).click();
    await again.getByText("The code is not right, or was used already.").waitFor();
    await look(own, "console-confirm-code");
    await type(again, "Code", codes[1]);
    await again.getByRole("button", { name: "Go on" }).click();
    await again.waitFor({ state: "detached" });
    await own.context().close();
  });

  it("has nothing that axe finds, and nothing that its own policy refuses", () => {
    assert.deepEqual(axeFindings(), []);
    assert.deepEqual(world.complaints, []);
  });
});
