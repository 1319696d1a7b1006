/** Whom one can trust: devices of one's own and other people, verified in two browsers; and one tab at a time. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { ANA, ROOM, skip, startPair, story, type World } from "./fixture.ts";
import { axeFindings, look } from "./look.ts";
import { goToRooms, heading, message, openRoom, type Profile, row, send, signIn } from "./person.ts";

describe("devices and people that are verified", { skip }, () => {
  let world: World;
  let ana: Profile;
  let ben: Profile;
  let laptop: Profile;
  const part = story(() => world);

  before(async () => {
    ({ world, ana, ben } = await startPair());
    await send(ben.page, ROOM, "Written before the laptop was there.");
    await message(ana.page, "Written before the laptop was there.").waitFor();
  });

  after(() => world?.[Symbol.asyncDispose]());

  part("two people compare pictures, and the room says that all are verified", async () => {
    await ana.page.getByRole("button", { name: "Details and members" }).click();
    await look(ana.page, "20-details");
    await ana.page.getByRole("button", { name: "Actions for ben" }).click();
    await ana.page.getByRole("menuitem", { name: "Verify…" }).click();
    // The question stands in their direct conversation, which is new and has to be accepted first.
    await row(ben.page, /^ana/).click();
    await ben.page.getByRole("button", { name: "Accept", exact: true }).click();
    await ben.page.getByRole("alertdialog", { name: "ana wants to verify with you" }).waitFor();
    await look(ben.page, "21-asked-to-verify");
    await ben.page.getByRole("button", { name: "Go on" }).click();
    await comparePictures(ana.page, ben.page);
    await ana.page.getByRole("button", { name: /^Encrypted · all verified/ }).waitFor();
  });

  part("a new device is verified by another one and gets its keys from it", async () => {
    laptop = await world.fresh();
    await signIn(laptop.page, ANA);
    await laptop.page.getByRole("button", { name: "Use another device" }).click();
    await ana.page.getByRole("alertdialog", { name: "Is this you, on a new device?" }).waitFor();
    await ana.page.getByRole("button", { name: "Go on" }).click();
    await comparePictures(laptop.page, ana.page);
    await heading(laptop.page, "Your messages are unlocked").waitFor();
    await goToRooms(laptop.page);
    await openRoom(laptop.page, ROOM);
    await message(laptop.page, "Written before the laptop was there.").waitFor();
  });

  part("the settings name both devices as verified, and one signs the other out", async () => {
    await ana.page.goto("/settings/devices");
    await ana.page.getByText("Verified", { exact: true }).nth(1).waitFor();
    await look(ana.page, "23-devices");
    await ana.page.getByRole("button", { name: /^Sign out / }).click();
    const prompt = ana.page.getByRole("dialog").or(ana.page.getByRole("alertdialog"));
    await prompt.getByLabel("Password", { exact: true }).fill(ANA.password);
    await look(ana.page, "24-password");
    await prompt.getByRole("button", { name: /^(Confirm|Continue|Sign out)$/ }).click();
    await heading(laptop.page, "Sign in").waitFor();
    await look(laptop.page, "25-signed-out-elsewhere");
  });

  part("a second tab says that Parley is open elsewhere, and takes over when asked to", async () => {
    const second = await ana.context.newPage();
    await second.goto("/");
    await heading(second, "Parley is open in another tab").waitFor();
    await look(second, "26-other-tab");
    await second.getByRole("button", { name: "Use here" }).click();
    await message(second, "Written before the laptop was there.").waitFor();
    await heading(ana.page, "Parley is open in another tab").waitFor();
    await ana.page.close();
    ana.page = second;
  });

  part("signing out leads to the sign-in screen and leaves nothing in the browser", async () => {
    await ana.page.goto("/settings/profile");
    await ana.page.getByRole("button", { name: "Sign out", exact: true }).click();
    const dialog = ana.page.getByRole("alertdialog", { name: "Sign out of this browser?" });
    await look(ana.page, "27-sign-out");
    await dialog.getByRole("button", { name: "Sign out", exact: true }).click();
    await heading(ana.page, "Sign in").waitFor();
    const left = await ana.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
    assert.deepEqual(left, []);
    assert.deepEqual(await ana.page.evaluate(() => Object.keys(localStorage)), []);
  });

  it("axe finds nothing on any of these screens", () => assert.deepEqual(axeFindings(), []));

  it("no page has complained of anything but the sessions that were ended", () => {
    const others = world.complaints().filter((told) => !/M_UNKNOWN_TOKEN|Unable to refresh token/.test(told));
    assert.deepEqual(others, []);
  });
});

/** Both see the same pictures in the same order, and say so. */
async function comparePictures(first: Page, second: Page): Promise<void> {
  const pages = [first, second];
  for (const page of pages) await page.getByRole("button", { name: "They match" }).waitFor();
  const pictures = await Promise.all(
    pages.map((page) => page.getByRole("alertdialog").getByRole("listitem").allInnerTexts()),
  );
  assert.equal(pictures[0]?.length, 7);
  assert.deepEqual(pictures[0], pictures[1]);
  await look(first, "22-pictures");
  for (const page of pages) await page.getByRole("button", { name: "They match" }).click();
  for (const page of pages) await page.getByRole("button", { name: "Done" }).click();
}
