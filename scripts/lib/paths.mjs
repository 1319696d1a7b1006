/** Where things are in the checkout. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const repoRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** @param {...string} parts */
export function inRepo(...parts) {
  return join(repoRoot, ...parts);
}
