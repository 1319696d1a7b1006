/** A person signs in to the messenger by a provider of OpenID Connect, and is signed out by it. */
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { registerPerson } from "../testkit/src/http.ts";
import { startUpstream, type Upstream, UPSTREAM_CLIENT } from "../testkit/src/upstream.ts";
import { press } from "./door.ts";
import { skip, startWorld, story, type World } from "./fixture.ts";
import { axeFindings, look, settle } from "./look.ts";
import { heading, type Profile, proveSaved, readRecoveryKey, saySaved } from "./person.ts";

const SARA = { sub: "sara there", preferred_username: "sara", name: "Sara S." };

describe("single sign-on", { skip }, () => {
  let upstream: Upstream;
  let world: World;
  let sara: Profile;
  const part = story(() => world);

  before(async () => {
    upstream = await startUpstream(SARA);
    const providers = [{ id: "corp", name: "Example Inc.", issuer: upstream.issuer, ...UPSTREAM_CLIENT }];
    world = await startWorld({ PARLEY_SSO_PROVIDERS: JSON.stringify(providers) });
    upstream.serve(world.system.url, "corp");
    // Whose name the newcomer would have.
    await registerPerson(world.system.url, "sara");
    sara = await world.fresh();
  });

  after(async () => {
    await world?.[Symbol.asyncDispose]();
    await upstream?.[Symbol.asyncDispose]();
  });

  part("a newcomer goes to the provider, chooses a name, and comes back to their rooms", async () => {
    const { page } = sara;
    await page.goto("/login");
    await page.getByRole("button", { name: "Continue with Example Inc." }).waitFor();
    await look(page, "sso-messenger");
    await press(page, "Continue with Example Inc.");
    await page.getByText("The name sara is somebody else's here.").waitFor();
    await look(page, "sso-name");
    await page.getByLabel("User name").fill("sara.s");
    await press(page, "Make the account");
    await heading(page, "Your recovery key").waitFor();
    assert.doesNotMatch(page.url(), /loginToken/);
    const key = await readRecoveryKey(page);
    await saySaved(page);
    await proveSaved(page, key);
    await heading(page, "Welcome, Sara S.").waitFor();
  });

  part("the server's own pages offer the provider, and show that it knows the account", async () => {
    const page = await sara.context.newPage();
    await page.goto("/oauth2/account");
    await page.getByRole("heading", { name: "Sign-in by others" }).waitFor();
    await look(page, "sso-account");
    await press(page, "Sign this browser out");
    await page.getByRole("link", { name: "Sign in again" }).click();
    await page.getByRole("link", { name: "Continue with Example Inc." }).waitFor();
    await look(page, "sso-sign-in");
    await page.getByRole("link", { name: "Make an account" }).click();
    await page.getByRole("link", { name: "Continue with Example Inc." }).waitFor();
    await page.close();
  });

  part("who comes back as somebody else is told so, and goes on as themselves", async () => {
    const { page } = sara;
    await page.evaluate(() => {
      const kept = JSON.parse(localStorage.getItem("parley.session") ?? "{}");
      // A token that the server asks to have replaced, and nothing to do that with.
      localStorage.setItem(
        "parley.session",
        JSON.stringify({ ...kept, accessToken: "eyJ.eyJ.x", refreshToken: undefined }),
      );
    });
    // The refusal comes while the models are still being loaded, and what comes after it does not take it back.
    const { promise: refused, resolve: letLoad } = Promise.withResolvers<void>();
    await page.route("**/assets/follow-*.js", async (route) => {
      await refused;
      await route.continue();
    });
    await page.reload();
    await heading(page, "Sign in again").waitFor();
    const models = page.waitForEvent("requestfinished", (request) => request.url().includes("/assets/follow-"));
    letLoad();
    await models;
    await settle(page);
    assert.ok(await heading(page, "Sign in again").isVisible());
    await page.unroute("**/assets/follow-*.js");
    // It is counted, and nobody needs to be able to read it for that.
    await page.evaluate(async () => {
      const { deviceId } = JSON.parse(localStorage.getItem("parley.session") ?? "{}") as { deviceId: string };
      const request = indexedDB.open(`parley-unsent-${deviceId}`);
      await new Promise((resolve) => request.addEventListener("success", resolve));
      const { transaction } = request.result.transaction("unsent", "readwrite").objectStore("unsent").add({});
      await new Promise((resolve) => transaction?.addEventListener("complete", resolve));
      request.result.close();
    });
    await press(page, "Sign out and delete what this browser keeps");
    const leaving = page.getByRole("alertdialog", { name: "Sign out of this browser?" });
    await leaving.getByText("One message has not been sent yet and would be lost.").waitFor();
    await look(page, "sso-leaving-unsent");
    await leaving.getByRole("button", { name: "Stay signed in" }).click();
    await press(page, "Use a passkey or a code");
    await page.getByLabel("User name").fill("sara");
    await page.getByLabel("Password", { exact: true }).fill("password of sara");
    await press(page, "Sign in");
    await press(page, /^Continue as @sara:/);
    await page.getByText(/^You signed in as @sara:.* This browser keeps the messages and keys of @sara\.s:/).waitFor();
    await look(page, "sso-turned-away");
    await press(page, "Continue with Example Inc.");
    await heading(page, "Welcome, Sara S.").waitFor();
    // What the client notes of a token that is refused is no complaint.
    sara.complaints.splice(0);
  });

  part("who signs out at the provider is signed out of the messenger", async () => {
    const { page } = sara;
    // What the client notes when its session ends is no complaint.
    assert.deepEqual(world.complaints(), []);
    await upstream.signOut(SARA.sub);
    await heading(page, "Sign in").waitFor();
    await page.getByText("This session was signed out from another device.").waitFor();
    await page.getByText("One message has not been sent and is lost.").waitFor();
    await look(page, "sso-signed-out");
    await page.getByRole("button", { name: "Continue with Example Inc." }).waitFor();
    assert.deepEqual(axeFindings(), []);
  });
});
