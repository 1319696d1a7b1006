/**
 * Azurite, Microsoft's emulator of Azure's storage, for the tests of the store of blobs. It is 187 MB of 356 packages, so it is
 * none of the project's own: it comes from npm into .runtime/ when those tests are run. Later versions need packages that are not
 * everywhere.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { inRepo } from "./paths.mjs";
import { npmCommand, run } from "./run.mjs";
import { StepError, step } from "./step.mjs";

const version = "3.34.0";
const directory = inRepo(".runtime", `azurite-${version}`);

/** Where there is none to be had, its tests are skipped, and the others run. */
export async function bringAzurite() {
  if (existsSync(directory)) return;
  const unfinished = `${directory}.unfinished`;
  const flags = ["--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"];
  const advice = "The tests of Azure's storage against Azurite are skipped.";
  try {
    await step(`Bringing Azurite ${version}, for the tests of Azure's storage`, async () => {
      rmSync(unfinished, { recursive: true, force: true });
      mkdirSync(unfinished, { recursive: true });
      await run([...npmCommand(), "install", "--prefix", unfinished, ...flags, `azurite@${version}`], { advice });
      if (!existsSync(join(unfinished, "node_modules", "azurite"))) throw new StepError(advice);
      renameSync(unfinished, directory);
    });
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    console.log(error.message);
  }
}
