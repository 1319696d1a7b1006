/** The page that signs in for applications that do not know how: it gives them the answer of POST /login. */
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import type { Page } from "playwright-core";
import { type Json, registerPerson } from "../testkit/src/http.ts";
import { press } from "./door.ts";
import { skip, startWorld, story, type World } from "./fixture.ts";
import { axeFindings, look } from "./look.ts";
import { heading } from "./person.ts";

const PATH = "/_matrix/static/client/login/";

/** What the page hands to the application that shows it. */
async function opened(page: Page, query: Record<string, string>): Promise<{ handedOver: Promise<Json> }> {
  const { promise, resolve } = Promise.withResolvers<Json>();
  await page.exposeFunction("handOver", resolve);
  await page.addInitScript("window.matrixLogin = { onLogin: (response) => window.handOver(response) };");
  await page.goto(`${PATH}?${new URLSearchParams(query).toString()}`);
  return { handedOver: promise };
}

describe("the page that signs in for applications", { skip }, () => {
  let world: World;
  const part = story(() => world);

  before(async () => {
    world = await startWorld();
    await registerPerson(world.system.url, "ana");
  });

  after(() => world?.[Symbol.asyncDispose]());

  async function give(page: Page, password: string): Promise<void> {
    await page.getByLabel("User name").fill("ana");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
  }

  part("a password signs in, with what the application said of the device; a wrong one is told", async () => {
    const { page } = await world.fresh();
    const { handedOver } = await opened(page, { device_id: "KIOSK", initial_device_display_name: "At the door" });
    await give(page, "not the password");
    await page.getByRole("alert").getByText("is not right").waitFor();
    await look(page, "login-page");
    assert.deepEqual(axeFindings(), []);
    await give(page, "password of ana");
    const { user_id, device_id, access_token } = await handedOver;
    assert.deepEqual([user_id, device_id, typeof access_token], ["@ana:localhost", "KIOSK", "string"]);
  });

  part("who signs in another way comes back with a token, which is used once", async () => {
    const { page } = await world.fresh();
    const { handedOver } = await opened(page, { device_id: "KIOSK2" });
    await page.getByRole("link", { name: "Sign in another way" }).click();
    await heading(page, "Sign in").waitFor();
    await page.waitForURL(/oauth2/);
    await give(page, "password of ana");
    await press(page, /^Continue as @ana/);
    const { user_id, device_id } = await handedOver;
    assert.deepEqual([user_id, device_id], ["@ana:localhost", "KIOSK2"]);
    assert.equal(new URL(page.url()).search, "?device_id=KIOSK2");
  });
});
