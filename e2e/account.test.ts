/** A person's account: what they change of it, what is refused, and how it ends. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { askOtherDevice, confirmPassword, openSettings, press, question } from "./door.ts";
import { ANA, settle, skip, startWorld, story, type World } from "./fixture.ts";
import { axeFindings, look } from "./look.ts";
import {
  heading,
  type Profile,
  proveSaved,
  readRecoveryKey,
  register,
  saySaved,
  signIn,
  unlockWithKey,
} from "./person.ts";
import { picture } from "./picture.ts";

const CARA = { userName: "cara", password: "seven slow rivers" };
const NEXT_PASSWORD = "a louder green evening";

describe("an account", { skip }, () => {
  let world: World;
  let ana: Profile;
  let key = "";
  const part = story(() => world);

  before(async () => {
    world = await startWorld();
    ana = await world.fresh();
    key = await settle(ana, ANA);
  });

  after(() => world?.[Symbol.asyncDispose]());

  part("a name and a picture are changed, and stay", async () => {
    await openSettings(ana.page, "profile", "Profile");
    await ana.page.getByLabel("Display name").fill("Ana Duarte");
    await press(ana.page, "Save");
    await ana.page.getByText("Your name is saved").waitFor();
    const choosing = ana.page.waitForEvent("filechooser");
    await press(ana.page, "Add a picture");
    await (await choosing).setFiles({ name: "ana.png", mimeType: "image/png", buffer: picture(300, [11, 110, 99]) });
    await ana.page.getByRole("button", { name: "Change picture" }).waitFor();
    await ana.page.reload();
    await ana.page.getByRole("button", { name: "Change picture" }).waitFor();
    assert.equal(await ana.page.getByLabel("Display name").inputValue(), "Ana Duarte");
  });

  part("a switch of the notifications holds after a reload", async () => {
    await openSettings(ana.page, "notifications", "Notifications");
    const invites = ana.page.getByRole("switch", { name: /^Invites/ });
    assert.equal(await invites.isChecked(), true);
    await ana.page.getByText("Invites", { exact: true }).click();
    await ana.page.waitForFunction(() => document.querySelectorAll("input[role=switch]:disabled").length === 0);
    await ana.page.reload();
    await invites.waitFor({ state: "attached" });
    assert.equal(await invites.isChecked(), false);
  });

  part("a person decides whether senders learn that a message has arrived, and that holds after a reload", async () => {
    await openSettings(ana.page, "profile", "Profile");
    const told = ana.page.getByRole("switch", { name: /^Tell senders/ });
    assert.equal(await told.isChecked(), true);
    const saved = ana.page.waitForResponse((answer) => answer.url().endsWith("/account_data/io.parley.privacy"));
    await ana.page.getByText("Tell senders when their messages arrive", { exact: true }).click();
    assert.deepEqual((await saved).request().postDataJSON(), { delivery_receipts: false });
    await ana.page.waitForFunction(() => document.querySelectorAll("input[role=switch]:disabled").length === 0);
    await look(ana.page, "38-what-others-learn");
    await ana.page.reload();
    // The first view may be what the browser kept before.
    await ana.page.getByRole("switch", { name: /^Tell senders/, checked: false }).waitFor({ state: "attached" });
    await ana.page.getByRole("switch", { name: /^Count messages/, checked: true }).waitFor({ state: "attached" });
  });

  part("what the server has of a person is gathered, and fetched as an archive", async () => {
    await openSettings(ana.page, "profile", "Profile");
    await press(ana.page, "Gather my data");
    const downloading = ana.page.waitForEvent("download");
    await press(ana.page, "Download");
    const archive = await downloading;
    assert.match(archive.suggestedFilename(), /^export-\d+\.zip$/);
    const bytes = await readFile(await archive.path());
    assert.equal(bytes.subarray(0, 2).toString(), "PK");
    assert.ok(bytes.includes("manifest.json"));
    await look(ana.page, "39-own-data");
  });

  part("a new recovery key replaces the old one, which says so when it is tried", async () => {
    await openSettings(ana.page, "recovery", "Recovery");
    await press(ana.page, "Make a new recovery key");
    await heading(ana.page, "Your recovery key").waitFor();
    const newKey = await readRecoveryKey(ana.page);
    await saySaved(ana.page);
    await proveSaved(ana.page, newKey);
    const other = await world.fresh();
    await signIn(other.page, ANA);
    await press(other.page, /^Use your recovery key/);
    const field = other.page.getByLabel("Recovery key", { exact: true });
    await field.fill(key);
    await press(other.page, "Unlock");
    await other.page.getByText("it has been replaced by a newer one").waitFor();
    await field.fill(mistype(newKey));
    await press(other.page, "Unlock");
    await other.page.getByText("Group 5 is mistyped.").waitFor();
    await look(other.page, "40-mistyped");
    await press(other.page, /^Use your recovery key/);
    await unlockWithKey(other.page, newKey);
    key = newKey;
    await other.context.close();
  });

  part("the password is changed only with the present one, and the other device is signed out with it", async () => {
    const other = await world.fresh();
    await signIn(other.page, ANA);
    await openSettings(ana.page, "profile", "Profile");
    await ana.page.getByLabel("Present password").fill("not this one");
    await ana.page.getByLabel("New password").fill(NEXT_PASSWORD);
    await press(ana.page, "Change password");
    await ana.page.getByText("That is not your password.").waitFor();
    await ana.page.getByLabel("Present password").fill(ANA.password);
    await press(ana.page, "Change password");
    await ana.page.getByText("Your password is changed").waitFor();
    await other.page.getByText("This session was signed out from another device.").waitFor();
    await look(other.page, "41-removed");
    await other.context.close();
  });

  part("another session is renamed, and signed out with the password", async () => {
    const other = await world.fresh();
    await signIn(other.page, { ...ANA, password: NEXT_PASSWORD });
    await openSettings(ana.page, "devices", "Devices & security");
    const others = ana.page.getByRole("region", { name: "Other devices" });
    await others
      .getByRole("button", { name: /^Rename/ })
      .first()
      .click();
    await others.getByRole("textbox").fill("Library computer");
    await press(others, "Save");
    await press(others, "Sign out Library computer");
    await confirmPassword(ana.page, "not this one");
    await ana.page.getByText("That is not your password.").waitFor();
    await look(ana.page, "42-password");
    await confirmPassword(ana.page, NEXT_PASSWORD);
    await ana.page.getByText("Library computer").waitFor({ state: "detached" });
    await other.page.getByText("This session was signed out from another device.").waitFor();
    await other.context.close();
  });

  part("pictures that differ stop a verification on both sides, and nothing is unlocked", async () => {
    const stranger = await world.fresh();
    await signIn(stranger.page, { ...ANA, password: NEXT_PASSWORD });
    await askOtherDevice(stranger.page, ana.page);
    await press(question(stranger.page, "Do these match?"), "They do not match");
    for (const page of [stranger.page, ana.page]) await question(page, "They did not match").waitFor();
    await look(ana.page, "44-mismatch");
    for (const page of [stranger.page, ana.page]) await press(question(page, "They did not match"), "Close");
    await heading(stranger.page, "Unlock your messages").waitFor();
    await press(stranger.page, "Skip for now");
    await stranger.page.getByRole("link", { name: /^Older messages locked/ }).waitFor();
    await look(stranger.page, "45-locked");
    await stranger.context.close();
  });

  part("a device that is asked may say that it was nobody, and the other is told so", async () => {
    const other = await world.fresh();
    await signIn(other.page, { ...ANA, password: NEXT_PASSWORD });
    await press(other.page, /^Use another device/);
    await press(question(ana.page, "Is this you, on a new device?"), "It is not me");
    await question(other.page, "It was declined").waitFor();
    await press(question(other.page, "It was declined").locator("footer"), "Close");
    await heading(other.page, "Unlock your messages").waitFor();
    await other.context.close();
  });

  part(
    "who goes on without a recovery key is reminded, and may start with a new identity on another device",
    async () => {
      const cara = await world.fresh();
      await register(cara.page, CARA);
      await press(cara.page, "Not now");
      await press(question(cara.page, "Go on without a recovery key?"), "Go on without");
      await cara.page.getByRole("link", { name: /^No recovery key yet/ }).waitFor();
      await cara.context.close();
      const again = await world.fresh();
      await signIn(again.page, CARA);
      await press(again.page, /^I have neither/);
      await again.page.getByLabel("Type “reset” to confirm").fill("reset");
      await look(again.page, "46-new-identity");
      await press(again.page, "Start with a new identity");
      await heading(again.page, "Your recovery key").waitFor();
      const newKey = await readRecoveryKey(again.page);
      await saySaved(again.page);
      await proveSaved(again.page, newKey);
      await heading(again.page, "Welcome, cara").waitFor();
      await again.context.close();
    },
  );

  part("a deactivated account is closed for good, and says so", async () => {
    await openSettings(ana.page, "profile", "Profile");
    await ana.page.getByLabel("Type “ana” to confirm").fill("ana");
    await press(ana.page, "Deactivate my account");
    await confirmPassword(ana.page, NEXT_PASSWORD);
    await ana.page.getByText("The account is deactivated.").waitFor();
    await ana.page.getByLabel("User name").fill("ana");
    await ana.page.getByRole("textbox", { name: "Password" }).fill(NEXT_PASSWORD);
    await press(ana.page, "Sign in");
    await ana.page.getByText("This account has been deactivated").waitFor();
  });

  part("a link of the administrator works once", async () => {
    const first = await world.fresh();
    await register(first.page, { userName: "root", password: "first of this house" }, world.system.administratorLink);
    await first.context.close();
    const second = await world.fresh();
    await second.page.goto(world.system.administratorLink);
    await second.page.getByText("This link has been used or has expired").waitFor();
    await look(second.page, "47-dead-link");
    await press(second.page, "Go on without it");
    await second.page.getByLabel("User name").waitFor();
  });

  it("axe finds nothing on any of these screens", () => assert.deepEqual(axeFindings(), []));
});

/** The key with a wrong character in its fifth group. */
function mistype(key: string): string {
  const groups = key.split(" ");
  const fifth = groups[4] ?? "";
  groups[4] = (fifth.startsWith("7") ? "8" : "7") + fifth.slice(1);
  return groups.join(" ");
}
