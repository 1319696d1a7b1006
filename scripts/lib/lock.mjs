/**
 * One setup at a time in a checkout. Each candidate puts down a file of its own, named by its process id, and then looks for
 * those of others that are alive: of two at least one sees the other, steps back and waits. Files of the dead are swept away.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const filePattern = /^setup-(\d+)\.lock$/;

/**
 * Runs `action` while no other process runs one under the same directory.
 *
 * @template T
 * @param {string} directory
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function withLock(directory, action) {
  mkdirSync(directory, { recursive: true });
  const own = `setup-${process.pid}.lock`;
  for (let attempt = 1; ; attempt++) {
    writeFileSync(join(directory, own), "");
    const other = livingOther(directory, own);
    if (other === undefined) break;
    rmSync(join(directory, own), { force: true });
    if (attempt === 10) {
      console.log(
        `  Waiting for another setup in this checkout (process ${other}; if it is none, remove ${join(directory, `setup-${other}.lock`)})`,
      );
    }
    await wait(100 + (process.pid % 100));
  }
  const sweep = () => rmSync(join(directory, own), { force: true });
  process.once("exit", sweep);
  try {
    return await action();
  } finally {
    sweep();
    process.off("exit", sweep);
  }
}

/**
 * @param {string} directory
 * @param {string} own
 */
function livingOther(directory, own) {
  /** @type {number | undefined} */
  let living;
  for (const name of readdirSync(directory)) {
    const pid = Number(filePattern.exec(name)?.[1]);
    if (!pid || name === own) continue;
    if (isAlive(pid)) living = pid;
    else rmSync(join(directory, name), { force: true });
  }
  return living;
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}
