/** Everything that must be there before Parley runs: a Node that is new enough, the packages, the built web messenger. */
import { inRepo } from "./paths.mjs";
import { areInstalled, installDependencies } from "./dependencies.mjs";
import { withLock } from "./lock.mjs";
import { bringRuntime, findRuntime } from "./runtime.mjs";
import { buildWeb, isWebBuilt } from "./web.mjs";

/**
 * Brings what is missing, one process at a time. When nothing is, it takes a few dozen milliseconds and no lock.
 *
 * @param {{ web: boolean }} wanted whether the web messenger must be built
 * @returns {Promise<string>} the path of the Node to run Parley with
 */
export async function setUp({ web }) {
  const runtime = findRuntime();
  if (runtime && areInstalled() && (!web || isWebBuilt())) return runtime;
  return withLock(inRepo(".runtime"), async () => {
    const broughtRuntime = findRuntime() ?? (await bringRuntime());
    if (!areInstalled()) await installDependencies();
    if (web && !isWebBuilt()) await buildWeb(broughtRuntime);
    return broughtRuntime;
  });
}
