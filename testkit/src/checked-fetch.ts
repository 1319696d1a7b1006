// In a test process every `fetch` is checked, whoever calls it: a test that asks a server by itself, the SDK, the testkit. So no
// test can take an answer of the Client-Server API for right that the specification does not allow.

import { openChecker, type Checker } from "./openapi/checker.ts";
import { checkingFetch } from "./openapi/checking-fetch.ts";
import { specDir } from "./openapi/spec-dir.ts";

let opened: { checker: Checker | undefined } | undefined;

/** The checker of this process; undefined where no specification is on this machine. */
export function sharedChecker(): Checker | undefined {
  if (opened) return opened.checker;
  const dir = specDir();
  opened = { checker: dir === undefined ? undefined : openChecker(dir) };
  if (dir === undefined) process.stderr.write("The answers are not checked: there is no Matrix specification here.\n");
  return opened.checker;
}

/** What the process came with: for what only pretends to be a homeserver, and for clients that check by themselves. */
export const uncheckedFetch = globalThis.fetch;
const checkedPaths = /^\/(_matrix\/(client|media)|\.well-known\/matrix|_parley|_synapse)\//;

/** As `fetch`, but an answer that the specification does not allow is thrown as an AssertionError. */
export const checkedFetch: typeof fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input);
  const checker = checkedPaths.test(url.pathname) ? sharedChecker() : undefined;
  return checker ? checkingFetch(uncheckedFetch, checker).fetch(input, init) : uncheckedFetch(input, init);
};

/** From now on every `fetch` of this process is the checked one. */
export function checkEveryFetch(): void {
  globalThis.fetch = checkedFetch;
}
