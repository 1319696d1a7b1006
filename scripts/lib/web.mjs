/** The two apps for the browser: the messenger, built into web/dist, and the operators' console, built into operator/dist. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { inRepo, repoRoot } from "./paths.mjs";
import { npmCommand, run } from "./run.mjs";
import { environmentOf } from "./runtime.mjs";
import { step } from "./step.mjs";

/** What each is called, its workspace, and every path that its build reads. The console uses the messenger's components. */
const apps = [
  { name: "web messenger", workspace: "web", sources: ["web"] },
  { name: "console", workspace: "operator", sources: ["operator", "web/public", "web/src/models", "web/src/ui"] },
];
const notSources = new Set(["dist", "node_modules"]);

/** Remembers which sources a dist was built from. A build empties the directory first, so a cut-off one leaves none. */
const stampOf = (/** @type {string} */ workspace) => inRepo(workspace, "dist", ".sources");

/** @param {typeof apps[number]} app */
function isBuilt({ workspace, sources }) {
  const stamp = stampOf(workspace);
  return existsSync(stamp) && readFileSync(stamp, "utf8") === hashOf(sources);
}

export function isWebBuilt() {
  return apps.every(isBuilt);
}

/** Builds what is missing or older than its sources.
 *
 * @param {string} runtime
 */
export async function buildWeb(runtime) {
  for (const { name, workspace, sources } of apps.filter((app) => !isBuilt(app)))
    await step(`Building the ${name}`, async () => {
      const hash = hashOf(sources);
      await run([...npmCommand(), "run", "build", "-w", workspace], {
        env: environmentOf(runtime),
        advice: `The sources under ${workspace}/ do not build; the lines above say where.`,
      });
      writeFileSync(stampOf(workspace), hash);
    });
}

/**
 * Over the names and contents of everything that a build reads: the sources but their tests, and the packages' versions.
 *
 * @param {readonly string[]} sources
 */
function hashOf(sources) {
  const hash = createHash("sha256");
  for (const path of [inRepo("package-lock.json"), ...sources.flatMap((source) => filesUnder(inRepo(source)))]) {
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
