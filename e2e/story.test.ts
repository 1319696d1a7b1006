/**
 * One command, two people, one encrypted conversation: in two browsers, as a person sees it.
 *
 * The parts run in order and build on each other. Pictures of every screen are left in `artefacts/e2e`; axe looks at
 * each of them in both themes and at phone width.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { findChromium, launchChromium } from "./chromium.ts";
import { look } from "./look.ts";
import {
  type Account,
  actOn,
  composer,
  createPrivateChannel,
  freshProfile,
  goToRooms,
  heading,
  message,
  openRoom,
  proveSaved,
  readRecoveryKey,
  register,
  saySaved,
  send,
  signIn,
  unlockWithKey,
} from "./person.ts";
import { picture } from "./picture.ts";
import { startSystem, type System } from "./system.ts";

const ROOM = "release-train";
const ANA: Account = { userName: "ana", password: "a quiet teal morning" };
const BEN: Account = { userName: "ben", password: "nine paper lanterns" };
const CHROMIUM = findChromium();
if (!CHROMIUM) console.error("\n!! The browser tests are SKIPPED: there is no Chromium. Set CHROMIUM to its path.\n");

describe("two people, one encrypted conversation", { skip: !CHROMIUM && "no Chromium on this machine" }, () => {
  let system: System;
  let browser: Browser;
  let ana: { context: BrowserContext; page: Page };
  let ben: { context: BrowserContext; page: Page };
  let anaKey = "";

  before(async () => {
    system = await startSystem({ PARLEY_RATE_LIMITS: "off" });
    browser = await launchChromium(CHROMIUM ?? "");
    ana = await freshProfile(browser, system.url);
    ben = await freshProfile(browser, system.url);
  });

  after(async () => {
    await browser?.close();
    await system?.[Symbol.asyncDispose]();
  });

  it("the sign-in and registration screens are finished", async () => {
    await ana.page.goto("/login");
    await heading(ana.page, "Sign in").waitFor();
    await look(ana.page, "01-sign-in");
    await ana.page.goto("/register");
    await ana.page.getByLabel("User name").waitFor();
    await look(ana.page, "02-register");
  });

  it("the first person registers with the one-time link and sets up recovery", async () => {
    await register(ana.page, ANA, system.administratorLink);
    await look(ana.page, "03-recovery-key");
    anaKey = await readRecoveryKey(ana.page);
    await saySaved(ana.page);
    await look(ana.page, "04-check-key");
    await proveSaved(ana.page, anaKey);
    await heading(ana.page, "Welcome, ana").waitFor();
    await look(ana.page, "05-welcome");
  });

  it("the second person registers and sets up recovery", async () => {
    await register(ben.page, BEN);
    const key = await readRecoveryKey(ben.page);
    await saySaved(ben.page);
    await proveSaved(ben.page, key);
    await heading(ben.page, "Welcome, ben").waitFor();
  });

  it("one makes a private channel and invites the other, who joins", async () => {
    await createPrivateChannel(ana.page, ROOM);
    await ana.page
      .getByRole("button", { name: /Add people|Invite/ })
      .first()
      .click();
    const dialog = ana.page.getByRole("dialog", { name: `Invite to ${ROOM}` });
    await dialog.getByRole("combobox").or(dialog.getByRole("textbox")).first().fill("ben");
    await dialog.getByRole("option", { name: /ben/ }).click();
    await look(ana.page, "06-invite");
    await dialog.getByRole("button", { name: "Invite", exact: true }).click();
    await openRoom(ben.page, ROOM);
    await heading(ben.page, `You are invited to ${ROOM}`).waitFor();
    await look(ben.page, "07-invited");
    await ben.page.getByRole("button", { name: "Join", exact: true }).click();
    await composer(ben.page, ROOM).waitFor();
  });

  it("they write to each other, and each reads what the other wrote", async () => {
    await send(ana.page, ROOM, "Is the release on track?");
    await message(ben.page, "Is the release on track?").waitFor();
    await send(ben.page, ROOM, "Build 2211 is green.");
    await message(ana.page, "Build 2211 is green.").waitFor();
    await look(ana.page, "08-room");
  });
});
