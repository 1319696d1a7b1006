/** Slow steps: a line when one starts, its duration when it ends, and what to do when it fails. */

/** A step that did not work out. Its message is for a person: what failed, the last lines of the command, and what to do. */
export class StepError extends Error {}

/**
 * Runs `action` under a title such as "Installing the packages". On a terminal the seconds are counted while it runs.
 *
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function step(title, action) {
  const started = performance.now();
  const seconds = (/** @type {number} */ digits) => `${((performance.now() - started) / 1_000).toFixed(digits)} s`;
  const out = process.stdout;
  out.write(`  ${title} …`);
  const counter = out.isTTY ? setInterval(() => out.write(`\r  ${title} … ${seconds(0)}`), 1_000) : undefined;
  const end = (/** @type {string} */ text) => {
    clearInterval(counter);
    out.write(out.isTTY ? `\r  ${title} … ${text}\n` : ` ${text}\n`);
  };
  try {
    const result = await action();
    end(seconds(1));
    return result;
  } catch (error) {
    end(`failed after ${seconds(1)}`);
    throw error;
  }
}

/**
 * Runs a program's main function. A failed step is told in its own words, without a stack, and ends with exit code 1.
 *
 * @param {() => Promise<number | void>} program
 */
export async function runProgram(program) {
  try {
    process.exitCode = (await program()) ?? 0;
  } catch (error) {
    console.error(error instanceof StepError ? `\n${error.message}` : error);
    process.exitCode = 1;
  }
}
