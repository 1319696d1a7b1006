/** What stands around a conversation: open channels, direct messages, a lost connection, the settings. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ROOM, skip, startPair, story, type World } from "./fixture.ts";
import { axeFindings, look } from "./look.ts";
import {
  composer,
  directComposer,
  heading,
  message,
  openRoom,
  type Profile,
  row,
  send,
  workspace,
  write,
} from "./person.ts";

describe("around a conversation", { skip }, () => {
  let world: World;
  let ana: Profile;
  let ben: Profile;
  const part = story(() => world);

  before(async () => {
    ({ world, ana, ben } = await startPair());
  });

  after(() => world?.[Symbol.asyncDispose]());

  part("somebody opens a channel to everyone, and another finds and joins it", async () => {
    await workspace(ana.page, "New channel");
    const dialog = ana.page.getByRole("dialog", { name: "New channel" });
    await dialog.getByLabel("Name", { exact: true }).fill("lunch");
    await dialog.getByText("Open", { exact: true }).click();
    await look(ana.page, "30-new-channel");
    await dialog.getByRole("button", { name: "Create channel" }).click();
    await send(ana.page, "lunch", "Soup today?");
    await workspace(ben.page, "Browse channels");
    const browse = ben.page.getByRole("dialog", { name: "Browse channels" });
    await browse.getByText("lunch", { exact: true }).waitFor();
    await look(ben.page, "31-browse");
    await browse.getByRole("button", { name: "Join" }).click();
    await message(ben.page, "Soup today?").waitFor();
  });

  part("the list says what is unread and who is named, until it is read", async () => {
    await openRoom(ana.page, ROOM);
    await send(ana.page, ROOM, "Graphs look fine.");
    await row(ben.page, `${ROOM} unread`).waitFor();
    await composer(ana.page, ROOM).fill("@be");
    await ana.page.getByRole("option", { name: /ben/ }).click();
    await ana.page.keyboard.type("your turn");
    await ana.page.keyboard.press("Enter");
    await row(ben.page, `${ROOM} 1 mention`).waitFor();
    await look(ben.page, "29-unread");
    await openRoom(ben.page, ROOM);
    await row(ben.page, new RegExp(`^${ROOM}$`)).waitFor();
  });

  part("somebody writes to one person directly, who accepts", async () => {
    await workspace(ben.page, "New direct message");
    const dialog = ben.page.getByRole("dialog", { name: "New direct message" });
    await dialog.getByRole("combobox").fill("ana");
    await dialog.getByRole("option", { name: "ana" }).click();
    await dialog.getByRole("button", { name: "Start" }).click();
    await directComposer(ben.page, "ana").waitFor();
    await row(ana.page, /ben/).click();
    await heading(ana.page, "ben wants to talk to you").waitFor();
    await look(ana.page, "32-direct-invite");
    await ana.page.getByRole("button", { name: "Accept" }).click();
    await directComposer(ana.page, "ben").waitFor();
    await write(directComposer(ben.page, "ana"), "Just for you.");
    await message(ana.page, "Just for you.").waitFor();
    await look(ana.page, "33-direct");
  });

  part("without a network one goes on writing, and what waits is sent when it is back", async () => {
    await openRoom(ana.page, ROOM);
    await openRoom(ben.page, ROOM);
    await send(ana.page, ROOM, "Still here.");
    await message(ben.page, "Still here.").waitFor();
    const before = world.complaints().length;
    await ana.context.setOffline(true);
    await ana.page.getByText("Offline. You can keep reading and writing.").waitFor();
    await write(composer(ana.page, ROOM), "Failing over in 60 seconds.");
    await ana.page.getByText("1 message is waiting to send.", { exact: false }).waitFor();
    await look(ana.page, "34-offline");
    await ana.context.setOffline(false);
    await message(ben.page, "Failing over in 60 seconds.").waitFor();
    await ana.page.getByText("Will send when you are back online").waitFor({ state: "detached" });
    // That requests fail without a network is no news.
    ana.complaints.splice(before);
  });

  part("one goes anywhere by keyboard", async () => {
    await ana.page.keyboard.press("Control+k");
    await look(ana.page, "35-switcher");
    await ana.page.keyboard.type("lun");
    await ana.page.keyboard.press("Enter");
    await composer(ana.page, "lunch").waitFor();
  });

  part("the settings are finished, and a theme holds at once", async () => {
    await ana.page.keyboard.press("Control+,");
    for (const tab of ["Profile", "Notifications", "Recovery", "Keyboard", "About", "Appearance"]) {
      await ana.page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name: tab }).click();
      await heading(ana.page, tab).waitFor();
      await look(ana.page, `36-settings-${tab.toLowerCase()}`);
    }
    await ana.page.getByText("Dark", { exact: true }).click();
    await ana.page.locator("html[data-theme=dark]").waitFor();
    await ana.page.getByText("System", { exact: true }).click();
  });

  it("axe finds nothing on any of these screens", () => assert.deepEqual(axeFindings(), []));

  it("no page has complained", () => assert.deepEqual(world.complaints(), []));
});
