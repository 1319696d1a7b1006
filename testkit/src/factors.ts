// A person's app that makes codes (RFC 6238), and how they set it up at the account page.

import { createHmac, randomBytes } from "node:crypto";
import { readExplorer } from "../../server/src/explorer/config.ts";
import { type Browser, openBrowser, signIn, type Visited } from "./oauth.ts";

/** What a server needs that is to keep secrets of second factors: all of its processes the same. */
export const factorsConfig = () => ({
  explorer: readExplorer({ MASTER_ENCRYPTION_KEY: randomBytes(32).toString("base64") }),
});

const FACTORS = "/oauth2/account/factors";
const STEP_MS = 30_000;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function bytesOf(base32: string): Buffer {
  const bits = Array.from(base32, (letter) => LETTERS.indexOf(letter).toString(2).padStart(5, "0")).join("");
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** The code of the step that is so many after the one of now. */
export function codeOf(secret: string, steps = 0): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / STEP_MS) + steps));
  const mac = createHmac("sha1", bytesOf(secret)).update(counter).digest();
  const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 0xf) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

export type SetUp = { secret: string; codes: string[]; browser: Browser; page: Visited };

/**
 * Sets codes from an app up for somebody whose password is that of `registerPerson`. The code of this step is used up. That of the next one
 * is good once, also where the next step has come meanwhile.
 */
export async function setUpCodes(url: string, name: string): Promise<SetUp> {
  const browser = openBrowser(url);
  const page = await signIn(browser, await browser.open(FACTORS), name);
  const begun = await browser.send(page, {}, "begin_totp");
  const secret = secretIn(begun);
  const done = await browser.send(begun, { code: codeOf(secret) }, "confirm_totp");
  const codes = codesIn(done);
  if (codes.length === 0) throw new Error(`codes could not be turned on: ${done.text}`);
  return { secret, codes, browser, page: done };
}

export function secretIn(page: Visited): string {
  return (/<code>([A-Z2-7 ]{39})<\/code>/.exec(page.text)?.[1] ?? "").replaceAll(" ", "");
}

/** The recovery codes that a page shows. */
export function codesIn(page: Visited): string[] {
  return [...page.text.matchAll(/<code>([a-z2-9]{4}(?:-[a-z2-9]{4}){3})<\/code>/g)].map(([, code = ""]) => code);
}
