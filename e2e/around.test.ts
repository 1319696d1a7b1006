/** What stands around a conversation: open channels, direct messages, a lost connection, the settings. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page, Request } from "playwright-core";
import { press } from "./door.ts";
import { ROOM, skip, startPair, story, type World } from "./fixture.ts";
import { axeFindings, look } from "./look.ts";
import {
  type Account,
  actOn,
  composer,
  directComposer,
  fillAccount,
  goToRooms,
  heading,
  message,
  openRoom,
  type Profile,
  proveSaved,
  readRecoveryKey,
  reply,
  row,
  saySaved,
  send,
  unlockWithKey,
  workspace,
  write,
} from "./person.ts";
import { picture } from "./picture.ts";

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

  part("a link to a channel leads there, also through the door: for a new account, and on a new device", async () => {
    const link = ben.page.url();
    const cleo: Account = { userName: "cleo", password: "five grey pigeons" };
    const { page } = await world.fresh();
    await page.goto(link);
    await page.getByRole("link", { name: "Create an account" }).click();
    await fillAccount(page, cleo);
    await press(page, "Create account");
    await page.getByRole("button", { name: "I have saved it" }).waitFor();
    const key = await readRecoveryKey(page);
    await saySaved(page);
    await proveSaved(page, key);
    await heading(page, "You are not in this channel").waitFor();
    await press(page, "Join");
    await message(page, "Soup today?").waitFor();
    const second = await world.fresh();
    await second.page.goto(link);
    await fillAccount(second.page, cleo);
    await press(second.page, "Sign in");
    await unlockWithKey(second.page, key);
    await goToRooms(second.page);
    await message(second.page, "Soup today?").waitFor();
    await Promise.all([page.context().close(), second.context.close()]);
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
    for (const { page } of [ana, ben]) await page.getByText(/^ben started this conversation with ana/).waitFor();
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
    await files(ana.page).setInputFiles(plain("failover.txt"));
    await ana.page.getByText("2 messages are waiting to send.", { exact: false }).waitFor();
    await look(ana.page, "34-offline");
    await ana.context.setOffline(false);
    await message(ben.page, "Failing over in 60 seconds.").waitFor();
    await ben.page.getByRole("button", { name: "Download failover.txt" }).waitFor();
    await ana.page.getByText("Will send when you are back online").waitFor({ state: "detached" });
    // That requests fail without a network is no news.
    ana.complaints.splice(before);
  });

  part("what was not sent is there after a reload, sealed until then, and goes out as the same request", async () => {
    const { page } = ana;
    const [WAITS, REFUSED] = ["Before the tab closed.", "Not while it is closed."];
    const before = ana.complaints.length;
    const requests = new Set<string>();
    const note = (request: Request) => request.url().includes("/send/m.room.encrypted/") && requests.add(request.url());
    page.on("request", note);
    const json = { errcode: "M_FORBIDDEN", error: "The channel is closed." };
    await page.route(SENDS, (sending) => sending.fulfill({ status: 403, json }));
    await write(composer(page, ROOM), REFUSED);
    await page.getByText("Not sent: The channel is closed").waitFor();
    await page.unroute(SENDS);
    await page.route(SENDS, (sending) => sending.abort());
    await write(composer(page, ROOM), WAITS);
    await page.getByText("Will send when you are back online").waitFor();
    const kept = await page.waitForFunction(keptUnsent, 2);
    assert.doesNotMatch(String(await kept.jsonValue()), /closed|msgtype|m\.room/);
    await page.reload();
    await page.getByText("Not sent: The channel is closed").waitFor();
    await page.getByText("Will send when you are back online").waitFor();
    await look(page, "34-unsent");
    await page.keyboard.press("Control+,");
    await page.getByRole("link", { name: "Profile" }).click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    const leaving = page.getByRole("alertdialog", { name: "Sign out of this browser?" });
    await leaving.getByText("2 messages have not been sent yet and would be lost.", { exact: false }).waitFor();
    await look(page, "34-sign-out");
    await leaving.getByRole("button", { name: "Stay signed in" }).click();
    await page.goto("/");
    await openRoom(page, ROOM);
    await page.getByText("Will send when you are back online").waitFor();
    await page.unroute(SENDS);
    await message(ben.page, WAITS).waitFor();
    await page.getByRole("button", { name: "Retry" }).click();
    await message(ben.page, REFUSED).waitFor();
    await page.waitForFunction(keptUnsent, 0);
    await page.reload();
    for (const text of [WAITS, REFUSED]) {
      await message(page, text).waitFor();
      assert.equal(await message(page, text).count(), 1);
    }
    assert.equal(await page.getByText(/Not sent|Will send/).count(), 0);
    page.off("request", note);
    assert.equal(requests.size, 2, "each message has one address, however often it is sent");
    // That requests are cut off and refused is no news.
    ana.complaints.splice(before);
  });

  part(
    "files that could not be sent are kept sealed over a reload, and go out by themselves in their place",
    async () => {
      const { page } = ana;
      const before = ana.complaints.length;
      for (const address of [SENDS, UPLOADS]) await page.route(address, (request) => request.abort());
      await write(composer(page, ROOM), "Before the files.");
      await files(page).setInputFiles([
        { name: "rust.png", mimeType: "image/png", buffer: picture(160, [139, 90, 67]) },
        plain("notes.txt"),
      ]);
      await write(composer(page, ROOM), "After the files.");
      const waiting = page.getByText("Will send when you are back online");
      await waiting.nth(3).waitFor();
      const kept = await page.waitForFunction(keptUnsent, 4);
      assert.doesNotMatch(String(await kept.jsonValue()), /files|notes|rust|msgtype/);
      const buffer = Buffer.alloc(33 * 1024 * 1024);
      await files(page).setInputFiles({ name: "recording.bin", mimeType: "application/octet-stream", buffer });
      await page.getByText("Not kept: it is lost when this page is closed").waitFor();
      await look(page, "34-files");
      await press(page, "Cancel recording.bin");
      await page.reload();
      await waiting.nth(3).waitFor();
      for (const address of [SENDS, UPLOADS]) await page.unroute(address);
      await message(ben.page, "After the files.").waitFor();
      await page.waitForFunction(keptUnsent, 0);
      for (const each of [page, ben.page]) {
        const log = await each.getByRole("log", { name: /^Messages in/ }).ariaSnapshot();
        const places = ["Before the files.", "rust.png", "notes.txt", "After the files."].map((name) =>
          log.indexOf(name),
        );
        assert.ok(!places.includes(-1), log);
        assert.deepEqual(
          places,
          places.toSorted((a, b) => a - b),
        );
      }
      // That requests are cut off is no news.
      ana.complaints.splice(before);
    },
  );

  part("a reaction and a deletion that could not be sent go out by themselves after a reload", async () => {
    const { page } = ana;
    const before = ana.complaints.length;
    for (const address of [REACTIONS, DELETIONS]) await page.route(address, (request) => request.abort());
    await actOn(page, "Still here.", "React");
    await page.getByRole("searchbox").fill("rocket");
    await page
      .getByRole("gridcell", { name: /rocket/i })
      .first()
      .click();
    await actOn(page, "Failing over in 60 seconds.", "More actions");
    await page.getByRole("menuitem", { name: /^Delete/ }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("It will be deleted when you are back online").waitFor();
    await page.waitForFunction(keptUnsent, 2);
    await look(page, "34-deletion");
    await page.reload();
    await page.getByRole("button", { name: "🚀, 1" }).waitFor();
    for (const address of [REACTIONS, DELETIONS]) await page.unroute(address);
    await ben.page.getByRole("button", { name: "🚀, 1" }).waitFor();
    for (const each of [page, ben.page]) await each.getByText("Deleted by ana").waitFor();
    await page.waitForFunction(keptUnsent, 0);
    // That requests are cut off is no news.
    ana.complaints.splice(before);
  });

  part("one goes anywhere by keyboard", async () => {
    await ana.page.keyboard.press("Control+k");
    await look(ana.page, "35-switcher");
    await ana.page.keyboard.type("lun");
    await ana.page.keyboard.press("Enter");
    await composer(ana.page, "lunch").waitFor();
  });

  part("a thread takes the focus when it opens, and gives it back to its message", async () => {
    await actOn(ana.page, "Soup today?", "Reply in thread");
    await ana.page.getByRole("textbox", { name: "Reply in thread" }).waitFor();
    await ana.page.keyboard.type("With bread?");
    await ana.page.keyboard.press("Enter");
    await reply(ana.page, "With bread?").waitFor();
    for (const leave of [() => ana.page.keyboard.press("Escape"), () => press(ana.page, "Close thread")]) {
      await leave();
      const root = ana.page.locator("article:focus-within", { hasText: "Soup today?" });
      await root.waitFor();
      await root.focus();
      await ana.page.keyboard.press("t");
      await ana.page.locator("textarea:focus").and(ana.page.getByLabel("Reply in thread")).waitFor();
    }
    await ana.page.keyboard.press("Escape");
  });

  part("a first message says that there are new replies, until they are read", async () => {
    await openRoom(ben.page, "lunch");
    await ben.page.getByRole("button", { name: /^1 reply · new/ }).click();
    await reply(ben.page, "With bread?").waitFor();
    await ben.page.getByRole("button", { name: "Close thread" }).click();
    await ben.page.getByRole("button", { name: /^1 reply · last/ }).waitFor();
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

const UPLOADS = "**/_matrix/media/v3/upload*";
const REACTIONS = "**/send/m.reaction/*";
const DELETIONS = "**/redact/**";
const SENDS = "**/send/m.room.encrypted/*";

function files(page: Page) {
  return page.getByLabel("Files", { exact: true });
}

function plain(name: string) {
  return { name, mimeType: "text/plain", buffer: Buffer.from(`This is ${name}.`) };
}

/** In the page: what lies in the store of unsent messages, as text, once there are so many. */
async function keptUnsent(count: number): Promise<string | false> {
  const { deviceId } = JSON.parse(localStorage.getItem("parley.session") ?? "{}") as { deviceId: string };
  const settled = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve) => request.addEventListener("success", () => resolve(request.result)));
  const database = await settled(indexedDB.open(`parley-unsent-${deviceId}`));
  const rows = await settled(database.transaction("unsent").objectStore("unsent").getAll());
  database.close();
  if (rows.length !== count) return false;
  return `${count}: ${rows.map(({ data }: { data: ArrayBuffer }) => String.fromCharCode(...new Uint8Array(data))).join(" ")}`;
}
