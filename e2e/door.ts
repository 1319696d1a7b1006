/** What people do at the door of the messenger: verification and settings, found by what a screen reader says. */
import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import { heading } from "./person.ts";

/** The dialog that is open, by its title. */
export function question(page: Page, title: string | RegExp): Locator {
  return page.getByRole("alertdialog", { name: title }).or(page.getByRole("dialog", { name: title }));
}

export function press(within: Page | Locator, name: string | RegExp): Promise<void> {
  return within.getByRole("button", { name, exact: typeof name === "string" }).click();
}

/** The new device asks the others; the other one goes on. Ends when both show pictures. */
export async function askOtherDevice(fresh: Page, other: Page): Promise<void> {
  await press(fresh, /^Use another device/);
  await press(question(other, "Is this you, on a new device?"), "Go on");
  await bothCompare(fresh, other);
}

/** Waits until both sides show pictures, and compares them as two people do. */
export async function bothCompare(one: Page, other: Page): Promise<void> {
  const [mine, theirs] = await Promise.all([picturesOf(one), picturesOf(other)]);
  assert.equal(mine.length, 7);
  assert.deepEqual(mine, theirs);
}

async function picturesOf(page: Page): Promise<string[]> {
  const dialog = question(page, "Do these match?");
  await dialog.waitFor();
  return dialog.getByRole("listitem").allInnerTexts();
}

/** Opens a page of the settings and waits for its title. */
export async function openSettings(page: Page, tab: string, title: string): Promise<void> {
  await page.goto(`/settings/${tab}`);
  await heading(page, title).waitFor();
}

/** Gives the password to the dialog that asks for it. */
export async function confirmPassword(page: Page, password: string): Promise<void> {
  const dialog = question(page, "Confirm with your password");
  await dialog.getByRole("textbox", { name: "Password" }).fill(password);
  await press(dialog, "Confirm");
}
