/** A person at a browser: what they do on the screens, found by the names that a screen reader says. */
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";

/** For the slowest step on a busy machine: the first load, with its WebAssembly. */
const PATIENCE_MS = 15_000;

export interface Account {
  userName: string;
  password: string;
}

export interface Profile {
  context: BrowserContext;
  page: Page;
  /** What the page has complained about, as it stands in the console. */
  complaints: string[];
}

/** Answers that belong to the protocol: a first step of registration, or what is not there yet. */
const EXPECTED = /^Failed to load resource: the server responded with a status of (401|404) /;

/** A browser profile that has never been here. Closing its context is closing the browser for good. */
export async function freshProfile(browser: Browser, url: string): Promise<Profile> {
  const context = await browser.newContext({ baseURL: url, viewport: { width: 1280, height: 800 } });
  context.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  context.on("console", (told) => {
    if (told.type() === "error" && !EXPECTED.test(told.text())) complaints.push(told.text());
  });
  context.on("weberror", (error) => complaints.push(`${error.error().stack}`));
  return { context, page: await context.newPage(), complaints };
}

/** Creates an account at `path`, which is `/register` or the link of an administrator; ends at the recovery key. */
export async function register(page: Page, account: Account, path = "/register"): Promise<void> {
  await page.goto(path);
  await fillAccount(page, account);
  await page.getByRole("button", { name: "Create account" }).click();
  await heading(page, "Your recovery key").waitFor();
}

/** Signs in on a new device; ends at the three ways to unlock it. */
export async function signIn(page: Page, account: Account): Promise<void> {
  await page.goto("/login");
  await fillAccount(page, account);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await heading(page, "Unlock your messages").waitFor();
}

export async function fillAccount(page: Page, { userName, password }: Account): Promise<void> {
  await page.getByLabel("User name").fill(userName);
  await page.getByLabel("Password", { exact: true }).fill(password);
}

/** Reads the recovery key off the screen, as a person who writes it down does. */
export async function readRecoveryKey(page: Page): Promise<string> {
  const groups = await page
    .getByRole("list", { name: /^Recovery key/ })
    .locator("code")
    .allInnerTexts();
  return groups.join(" ");
}

/** Says that the key is saved; ends at the question for two of its groups. */
export async function saySaved(page: Page): Promise<void> {
  await page.getByRole("button", { name: "I have saved it" }).click();
  await heading(page, "Is it saved?").waitFor();
}

/** Types the two groups that are asked for, and goes to the rooms. */
export async function proveSaved(page: Page, key: string): Promise<void> {
  const field = page.getByRole("textbox", { name: /^Groups \d+ and \d+$/ });
  const label = await field.evaluate((input: HTMLInputElement) => input.labels?.[0]?.textContent ?? "");
  const asked = Array.from(label.matchAll(/\d+/g), ([number]) => key.split(" ")[Number(number) - 1]);
  await field.fill(asked.join(" "));
  await page.getByRole("button", { name: "Check and finish" }).click();
  await heading(page, "You are set up").waitFor();
  await page.getByRole("button", { name: "Go to my rooms" }).click();
}

/** Unlocks a new device with the recovery key, and goes to the rooms. */
export async function unlockWithKey(page: Page, key: string): Promise<void> {
  await page.getByRole("button", { name: "Use your recovery key" }).click();
  await page.getByLabel("Recovery key", { exact: true }).fill(key);
  await page.getByRole("button", { name: "Unlock", exact: true }).click();
  await heading(page, "Your messages are unlocked").waitFor();
}

export async function goToRooms(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Go to my rooms" }).click();
}

/** Makes a private channel, which is encrypted, and invites people by their Matrix ids. */
export async function createPrivateChannel(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: "New channel" }).first().click();
  const dialog = page.getByRole("dialog", { name: "New channel" });
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  await dialog.getByRole("button", { name: "Create channel" }).click();
  await composer(page, name).waitFor();
}

/** Invites somebody to the room that is open, found by the user name. */
export async function invite(page: Page, room: string, userName: string): Promise<void> {
  const dialog = await chooseToInvite(page, room, userName);
  await dialog.getByRole("button", { name: "Invite", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

/** As far as the question: somebody is chosen and not invited yet. */
export async function chooseToInvite(page: Page, room: string, userName: string): Promise<Locator> {
  await page.getByRole("button", { name: "Add people" }).click();
  const dialog = page.getByRole("dialog", { name: `Invite to ${room}` });
  await dialog.getByRole("combobox").fill(userName);
  await dialog.getByRole("option", { name: userName }).click();
  return dialog;
}

/** The row of a room or a person in the sidebar, by what a screen reader says of it. */
export function row(page: Page, name: string | RegExp): Locator {
  return page.getByRole("navigation", { name: "Channels and people" }).getByRole("link", { name });
}

/** Opens a room by its name in the list. */
export async function openRoom(page: Page, name: string): Promise<void> {
  await row(page, name).click();
}

/** Chooses from the menu of the workspace. */
export async function workspace(page: Page, entry: string): Promise<void> {
  await page.getByRole("button", { name: "localhost", exact: true }).click();
  await page.getByRole("menuitem", { name: entry }).click();
}

/** Writes a message and presses Enter; it is shown, and on its way. */
export async function send(page: Page, room: string, text: string): Promise<void> {
  await write(composer(page, room), text);
  await message(page, text).waitFor();
}

export async function write(field: Locator, text: string): Promise<void> {
  await field.fill(text);
  await field.press("Enter");
}

export function composer(page: Page, room: string): Locator {
  return page.getByRole("textbox", { name: `Message #${room}` });
}

export function directComposer(page: Page, person: string): Locator {
  return page.getByRole("textbox", { name: `Message ${person}`, exact: true });
}

/** A message in the room that is open, by its text; the quote of it in a reply is no message. */
export function message(page: Page, text: string): Locator {
  return page
    .getByRole("log", { name: /^Messages in/ })
    .locator("[dir=auto]")
    .getByText(text, { exact: true });
}

/** A message in the thread that is open. */
export function reply(page: Page, text: string): Locator {
  return page.getByRole("log", { name: "Thread" }).getByText(text, { exact: true });
}

/** Points at a message and presses one of the buttons of its toolbar. */
export async function actOn(page: Page, text: string, action: string): Promise<void> {
  await message(page, text).hover();
  await page
    .getByRole("toolbar", { name: /^Actions for the message/ })
    .getByRole("button", { name: action, exact: true })
    .click();
}

export function heading(page: Page, name: string): Locator {
  return page.getByRole("heading", { name, exact: true });
}

/** Resolves when the page has put the keys of this many message sessions into the backup, counted from now. */
export function keysKept(page: Page, count: number): Promise<unknown> {
  let kept = 0;
  return page.waitForResponse((response) => {
    const request = response.request();
    if (!request.url().includes("/room_keys/keys") || request.method() !== "PUT" || !response.ok()) return false;
    const { rooms } = request.postDataJSON() as { rooms: Record<string, { sessions: object }> };
    kept += Object.values(rooms).reduce((sum, room) => sum + Object.keys(room.sessions).length, 0);
    return kept >= count;
  });
}
