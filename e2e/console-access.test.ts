/** Why can she read this room, what did the lost laptop expose: found out, acted on and seen in the audit log, from the overview on. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { type Person, signInPerson } from "../testkit/src/http.ts";
import { createRoom, type TestRoom } from "../testkit/src/room.ts";
import { type ConsoleWorld, people, startConsole, title } from "./console.ts";
import { skip } from "./fixture.ts";
import { axeFindings, look } from "./look.ts";

describe("an operator whose colleague has lost a laptop", { skip }, () => {
  let world: ConsoleWorld;
  let page: Page;
  let ben: Person;
  let laptop: Person;
  let room: TestRoom;

  before(async () => {
    world = await startConsole();
    const [ana, other, cleo] = (await people(world.server, ["ana", "ben", "cleo"])) as [Person, Person, Person];
    ben = other;
    laptop = await signInPerson(world.server.url, "ben", { initial_device_display_name: "Ben's laptop" });
    room = await createRoom(ana, { name: "Release train", preset: "private_chat" });
    for (const one of [ben, cleo]) {
      await room.change(ana, "invite", one);
      await room.change(one, "join");
    }
    await createRoom(ben, { name: "Notes", preset: "private_chat" });
    page = await world.signedIn("root");
  });

  after(() => world?.[Symbol.asyncDispose]());

  const go = (screen: string) =>
    page.getByRole("navigation", { name: "Screens" }).getByRole("link", { name: screen }).click();
  const answer = () => page.getByRole("complementary", { name: "Details" });

  it("finds out from the person's page why they can read a room", async () => {
    await title(page, "Overview").waitFor();
    await go("Users");
    await page.getByText("@ben:localhost").click();
    await title(page, "ben").waitFor();
    await page.getByRole("link", { name: "Access", exact: true }).click();
    await page.getByRole("link", { name: "Why can they read Release train?" }).click();
    await answer()
      .getByText(/ben.*Release train/)
      .first()
      .waitFor();
    await page.getByRole("img", { name: /Table and text say the same/ }).waitFor();
    await look(page, "console-graph-why");
    await page.getByRole("combobox", { name: "View", exact: true }).selectOption("table");
    await page.getByRole("group", { name: "Answer" }).waitFor();
    await look(page, "console-graph-why-table");
    await page.getByRole("combobox", { name: "View", exact: true }).selectOption("text");
    await page.getByRole("heading", { name: /Every connection|Everything named/ }).waitFor();
    await look(page, "console-graph-why-text");
  });

  it("goes on from the answer to the room, and from there to who else can read it", async () => {
    await answer().getByRole("link", { name: "The room's page" }).click();
    await title(page, "Release train").waitFor();
    await page.getByRole("link", { name: "Who can reach this room?" }).click();
    await answer()
      .getByText(/3 people/)
      .first()
      .waitFor();
    await look(page, "console-graph-who");
  });

  it("finds out what the lost laptop exposed, by a link from the devices", async () => {
    await go("Devices");
    const row = page.getByRole("row").filter({ hasText: "Ben's laptop" });
    await row.getByRole("link", { name: "What did it expose?" }).click();
    await answer()
      .getByText(/Ben's laptop of ben could read 2 rooms since .*, and still can\./)
      .waitFor();
    const day = new Date().toLocaleDateString("en-CA");
    await page.getByLabel("Lost on").fill(day);
    await answer()
      .getByText(/Since it was lost, .* UTC, 2 rooms could be read with it\./)
      .waitFor();
    assert.equal(new URL(page.url()).searchParams.get("lost"), day);
    await look(page, "console-graph-exposed");
  });

  it("keeps the view under a name, and comes back to it", async () => {
    await page.getByRole("button", { name: "Save this view" }).click();
    await page.getByLabel("Name of this view").fill("The lost laptop");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    const kept = page.getByRole("region", { name: "Saved views" }).getByRole("link", { name: "The lost laptop" });
    await kept.waitFor();
    await look(page, "console-graph-saved");
    const address = page.url();
    await go("Access graph");
    await kept.click();
    await page.waitForURL(address);
    await answer()
      .getByText(/Ben's laptop of ben could read 2 rooms/)
      .waitFor();
    await page.getByRole("button", { name: "Forget The lost laptop" }).click();
    await kept.waitFor({ state: "detached" });
  });

  it("ends the laptop's session from there, with the password again, and it is signed out", async () => {
    await world.server.ctx.db.console.change(
      "update console.sessions set data = jsonb_set(data::jsonb, '{confirmed_ms}', '0')::text",
    );
    await answer().getByRole("link", { name: "Their devices, to sign them out" }).click();
    const row = page.getByRole("row").filter({ hasText: "Ben's laptop" });
    await row.getByRole("button", { name: "Sign out" }).click();
    const dialog = page.getByRole("alertdialog", { name: "Sign Ben's laptop out?" });
    await dialog.getByLabel("Reason").fill("Lost on the train");
    await dialog.getByRole("button", { name: "Sign out" }).click();
    const again = page.getByRole("dialog", { name: "Is this still you?" });
    await again.getByLabel("Password").fill("password of root");
    await again.getByRole("button", { name: "Go on" }).click();
    await page.getByText("Signed Ben's laptop out.").waitFor();
    assert.equal((await laptop.ask("GET", "/_matrix/client/v3/account/whoami")).status, 401);
    assert.equal((await ben.ask("GET", "/_matrix/client/v3/account/whoami")).status, 200, "the other device stays");
  });

  it("sees the act in the audit log, with who, what and why", async () => {
    await go("Audit log");
    const row = page.getByRole("row").filter({ hasText: "devices.end_many" });
    await row.getByText(`${ben.userId} ${laptop.deviceId}`).click();
    const sheet = page.getByRole("dialog", { name: /^Entry/ });
    await sheet.getByText("Lost on the train").waitFor();
    await sheet.getByText("@root:localhost").waitFor();
    await look(page, "console-audit-entry");
    await sheet.getByRole("link", { name: ben.userId }).click();
    await title(page, "ben").waitFor();
  });

  it("has nothing that axe finds, and nothing that its own policy refuses", () => {
    assert.deepEqual(axeFindings(), []);
    assert.deepEqual(world.complaints, []);
  });
});
