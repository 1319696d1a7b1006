/** The web messenger, built into web/dist. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { inRepo, repoRoot } from "./paths.mjs";
import { npmCommand, run } from "./run.mjs";
import { environmentOf } from "./runtime.mjs";
import { step } from "./step.mjs";

/** Remembers which sources web/dist was built from. A build empties the directory first, so a cut-off one leaves none. */
const stamp = inRepo("web", "dist", ".sources");
const notSources = new Set(["dist", "node_modules"]);

export function isWebBuilt() {
  return existsSync(stamp) && readFileSync(stamp, "utf8") === hashOfSources();
}

/** @param {string} runtime */
export async function buildWeb(runtime) {
  await step("Building the web messenger", async () => {
    const hash = hashOfSources();
    await run([...npmCommand(), "run", "build", "-w", "web"], {
      env: environmentOf(runtime),
      advice: "The sources under web/ do not build; the lines above say where.",
    });
    writeFileSync(stamp, hash);
  });
}

/** Over the names and contents of everything that the build reads: the sources but their tests, and the packages' versions. */
function hashOfSources() {
  const hash = createHash("sha256");
  for (const path of [inRepo("package-lock.json"), ...filesUnder(inRepo("web"))]) {
    if (/\.test\.tsx?$/.test(path)) continue;
    const content = readFileSync(path);
    hash.update(`${relative(repoRoot, path)}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/**
 * @param {string} path
 * @returns {string[]}
 */
function filesUnder(path) {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => !notSources.has(entry.name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesUnder(join(path, entry.name)) : [join(path, entry.name)]));
}
