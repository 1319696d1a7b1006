/** A system with two people in their own browsers, for the tests that begin where registration ends. */
import { it } from "node:test";
import type { Browser } from "playwright-core";
import { findChromium, launchChromium } from "./chromium.ts";
import {
  type Account,
  composer,
  createPrivateChannel,
  freshProfile,
  heading,
  invite,
  openRoom,
  type Profile,
  proveSaved,
  readRecoveryKey,
  register,
  saySaved,
} from "./person.ts";
import { artefact } from "./look.ts";
import { startSystem, type System } from "./system.ts";

export const ROOM = "release-train";
export const ANA: Account = { userName: "ana", password: "a quiet teal morning" };
export const BEN: Account = { userName: "ben", password: "nine paper lanterns" };

/** Why browser tests cannot run here; false where they can. */
export const skip: string | false = findChromium() ? false : "no Chromium on this machine";
if (skip) console.error("\n!! The browser tests are SKIPPED: there is no Chromium. Set CHROMIUM to its path.\n");

/**
 * The parts of a story, in their order. When one fails, every page is kept as a picture, and the parts after it are skipped:
 * they would only wait in vain.
 */
export function story(world: () => World): (name: string, part: () => Promise<void>) => void {
  let failed: string | null = null;
  return (name, part) =>
    void it(name, async (t) => {
      if (failed) return t.skip(`after the failure of: ${failed}`);
      await part().catch(async (error: unknown) => {
        failed = name;
        await keepPictures(world());
        throw error;
      });
    });
}

async function keepPictures({ browser }: World): Promise<void> {
  const pages = browser.contexts().flatMap((context) => context.pages());
  await Promise.all(pages.map((page, index) => page.screenshot({ path: artefact(`failed-${index + 1}`) })));
}

export interface World extends AsyncDisposable {
  system: System;
  browser: Browser;
  /** A browser profile that has never been here, at the system's address or at another one of it. */
  fresh(url?: string): Promise<Profile>;
  /** What the pages have complained about so far: errors, refused content, failed views. */
  complaints(): string[];
}

export async function startWorld(settings: Record<string, string> = {}): Promise<World> {
  return openWorld(await startSystem({ PARLEY_RATE_LIMITS: "off", ...settings }));
}

export interface Pair {
  world: World;
  ana: Profile;
  ben: Profile;
}

/** A system in which Ana and Ben have each other and an encrypted channel, at its beginning. */
export async function startPair(settings: Record<string, string> = {}): Promise<Pair> {
  const world = await startWorld(settings);
  const [ana, ben] = [await world.fresh(), await world.fresh()];
  await settle(ana, ANA);
  await settle(ben, BEN);
  await meet(ana, ben);
  return { world, ana, ben };
}

/** A browser beside a system that is running. The system ends with the world. */
export async function openWorld(system: System): Promise<World> {
  const browser = await launchChromium(findChromium() ?? "");
  const profiles: Profile[] = [];
  return {
    system,
    browser,
    async fresh(url = system.url) {
      const profile = await freshProfile(browser, url);
      profiles.push(profile);
      return profile;
    },
    complaints: () => profiles.flatMap((profile) => profile.complaints),
    async [Symbol.asyncDispose]() {
      await browser.close();
      await system[Symbol.asyncDispose]();
    },
  };
}

/** Registers somebody and sets up recovery; ends in the empty messenger and answers the recovery key. */
export async function settle({ page }: Profile, account: Account): Promise<string> {
  await register(page, account);
  const key = await readRecoveryKey(page);
  await saySaved(page);
  await proveSaved(page, key);
  await heading(page, `Welcome, ${account.userName}`).waitFor();
  return key;
}

/** Ana makes an encrypted channel and Ben joins it. */
export async function meet(ana: Profile, ben: Profile): Promise<void> {
  await createPrivateChannel(ana.page, ROOM);
  await invite(ana.page, ROOM, BEN.userName);
  await openRoom(ben.page, ROOM);
  await ben.page.getByRole("button", { name: "Join", exact: true }).click();
  await composer(ben.page, ROOM).waitFor();
}
