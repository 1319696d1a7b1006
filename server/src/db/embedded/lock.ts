/**
 * One owner for a directory. Each candidate first puts down a file of its own, whose name holds its process id and its
 * birth, and then looks for files of others that live. Of two candidates at least one sees the other, and steps back; the
 * file of a dead process is swept away by whoever finds it, which can never hit a living one, for the names differ.
 * Processes of two containers that share a volume do not see each other; that is the operator's to prevent.
 */
import { closeSync, openSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { birthOf } from "./processes.ts";

const filePattern = /^owner-(\d+)-(.+)\.lock$/;
const attempts = 5;

export interface Lock {
  release(): void;
}

/** Takes the lock, or gives the id of the process that has it. */
export async function takeLock(directory: string): Promise<Lock | { heldBy: number }> {
  const own = `owner-${process.pid}-${birthOf(process.pid)}.lock`;
  const file = join(directory, own);
  for (let attempt = 1; ; attempt++) {
    if (!putDown(file)) return { heldBy: process.pid };
    const other = livingOther(directory, own);
    if (other === undefined) return { release: () => rmSync(file, { force: true }) };
    rmSync(file, { force: true });
    if (attempt === attempts) return { heldBy: other };
    // Two that step back from each other meet again at different times.
    await wait(5 + (process.pid % 50) * attempt);
  }
}

function putDown(file: string): boolean {
  try {
    closeSync(openSync(file, "wx", 0o600));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function livingOther(directory: string, own: string): number | undefined {
  let living: number | undefined;
  for (const name of readdirSync(directory)) {
    const [, pid, birth] = filePattern.exec(name) ?? [];
    if (name === own || pid === undefined) continue;
    if (birthOf(Number(pid)) === birth) living = Number(pid);
    else rmSync(join(directory, name), { force: true });
  }
  return living;
}
