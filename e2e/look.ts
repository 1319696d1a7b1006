/** Looks at a screen: pictures of it in both themes and at phone width, and what axe finds there. */
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import type { AxeResults } from "axe-core";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const ARTEFACTS = fileURLToPath(new URL("../artefacts/e2e/", import.meta.url));

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 780 };

/** In an order that changes the theme once: Chromium sometimes draws inherited colours of the old one for a moment. */
const LOOKS = [
  { name: "light", size: DESKTOP, colorScheme: "light" },
  { name: "phone", size: PHONE, colorScheme: "light" },
  { name: "phone-dark", size: PHONE, colorScheme: "dark" },
  { name: "dark", size: DESKTOP, colorScheme: "dark" },
] as const;

const found: string[] = [];

/** Where a picture of this name is kept. */
export function artefact(name: string): string {
  return `${ARTEFACTS}${name}.png`;
}

/** What axe has found on all the screens that were looked at, with the elements. */
export function axeFindings(): string[] {
  return found;
}

/**
 * Keeps `artefacts/e2e/<screen>-<look>.png` for each look and runs axe in each. What axe finds is kept for `axeFindings`, so
 * that a story goes on to its end.
 */
export async function look(page: Page, screen: string): Promise<void> {
  await mkdir(ARTEFACTS, { recursive: true });
  // A tooltip of what the pointer rests on is no part of the screen.
  await page.mouse.move(1, 1);
  for (const { name, size, colorScheme } of LOOKS) {
    // One after the other: Chromium keeps inherited colours of the old theme when both change in the same frame.
    await page.setViewportSize(size);
    await settle(page);
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await settle(page);
    await page.screenshot({ path: artefact(`${screen}-${name}`) });
    for (const finding of await findings(page)) found.push(`${screen} (${name}): ${finding}`);
  }
  await page.setViewportSize(DESKTOP);
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await settle(page);
}

/** Two frames: one in which the page hears of the new size, one in which it is drawn. */
export async function settle(page: Page): Promise<void> {
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
  await page.evaluate(
    () => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))),
  );
}

interface Axe {
  run(options: { exclude: string[][] }): Promise<AxeResults>;
}

/**
 * The component library speaks through an element of its own, which names what it says by the id of a button; by the time that
 * axe looks the button may be gone, and nobody sees or hears the element any more.
 */
async function findings(page: Page): Promise<string[]> {
  const loaded = await page.evaluate(() => "axe" in window);
  // The debugger's own evaluation is not held by the page's content security policy.
  if (!loaded) await page.evaluate(await readAxe());
  const { violations } = await page.evaluate(() =>
    (window as unknown as { axe: Axe }).axe.run({ exclude: [["[data-live-announcer]"]] }),
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(" ")}: ${node.failureSummary}`),
  );
}

let axeSource: Promise<string> | undefined;

function readAxe(): Promise<string> {
  axeSource ??= readFile(AXE, "utf8");
  return axeSource;
}
