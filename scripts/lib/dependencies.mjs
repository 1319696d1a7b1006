/** The packages of package-lock.json, installed. */
import { existsSync, readFileSync } from "node:fs";
import { inRepo } from "./paths.mjs";
import { npmCommand, run } from "./run.mjs";
import { step } from "./step.mjs";

/**
 * @typedef {{ version?: string, integrity?: string, link?: boolean, optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }} Package
 * @typedef {Record<string, Package>} Packages by their place, such as `node_modules/pg`
 */

/**
 * Whether node_modules holds what the lock file asks for. npm leaves a list of what it installed when it has finished;
 * comparing the two also sees an install that was cut off, and one that someone made by hand.
 */
export function areInstalled() {
  const installed = inRepo("node_modules", ".package-lock.json");
  if (!existsSync(installed)) return false;
  return missingPackages(readPackages(inRepo("package-lock.json")), readPackages(installed)).length === 0;
}

/** Installs them, exactly, without running any script of theirs. */
export async function installDependencies() {
  await step("Installing the packages", () =>
    run([...npmCommand(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
      advice:
        "Check that npm can reach its registry, then try again. If it goes on, remove node_modules/ and try once more.",
    }),
  );
}

/**
 * @param {string} file
 * @returns {Packages}
 */
function readPackages(file) {
  return JSON.parse(readFileSync(file, "utf8")).packages ?? {};
}

/**
 * The places that are wanted on this machine and hold nothing, or something else.
 *
 * @param {Packages} wanted
 * @param {Packages} installed
 */
export function missingPackages(wanted, installed) {
  return Object.entries(wanted)
    .filter(([place, entry]) => place.includes("node_modules/") && !entry.link && isForThisMachine(entry))
    .filter(
      ([place, entry]) =>
        installed[place]?.version !== entry.version || installed[place]?.integrity !== entry.integrity,
    )
    .map(([place]) => place);
}

/**
 * Optional packages are mostly binaries for other platforms. Of those for ours the ones that depend on the C library are
 * not judged: which one it is takes longer to find out than everything else here.
 *
 * @param {Package} entry
 */
function isForThisMachine({ optional, os, cpu, libc }) {
  if (!optional) return true;
  return libc === undefined && (os?.includes(process.platform) ?? false) && (cpu?.includes(process.arch) ?? false);
}
