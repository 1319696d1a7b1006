/** Runs a program of the checkout in the foreground: it has the terminal's output, and this process ends with it. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { inRepo } from "./paths.mjs";
import { environmentOf } from "./runtime.mjs";

/** One Ctrl-C comes twice, from the terminal and from npm. Signals so close to each other are one wish to stop. */
const sameWish_ms = 300;

/**
 * The child has a process group of its own, so that Ctrl-C reaches it once and by one way: from here, like any other signal.
 * The end of the terminal (SIGHUP) is passed on as SIGTERM, which lets it finish what is in flight.
 *
 * @param {string} runtime the Node to run it with
 * @param {{ program: string, args: readonly string[], flags?: readonly string[], env?: Readonly<Record<string, string>> }} what
 *   the program's path in the checkout, its arguments, those of Node itself, and what its environment has unless it says otherwise
 * @returns {Promise<number>} the exit code, as a shell would give it
 */
export function runInCheckout(runtime, { program, args, flags = [], env = {} }) {
  return new Promise((resolve, reject) => {
    const child = spawn(runtime, [...flags, inRepo(program), ...args], {
      cwd: inRepo(),
      env: { ...env, ...environmentOf(runtime) },
      stdio: "inherit",
      detached: true,
    });
    let passedOn_ms = -sameWish_ms;
    for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
      process.on(signal, () => {
        if (performance.now() - passedOn_ms < sameWish_ms) return;
        passedOn_ms = performance.now();
        child.kill(signal === "SIGHUP" ? "SIGTERM" : signal);
      });
    }
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]));
  });
}
