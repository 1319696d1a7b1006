/** What can be known about a process of this machine from outside. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

/**
 * A text that no other process ever has, made of when the process started; undefined when it is not alive. A process id
 * alone does not tell: after a crash another process may have it.
 */
export function birthOf(pid: number): string | undefined {
  return process.platform === "linux" ? birthOnLinux(pid) : birthElsewhere(pid);
}

function birthOnLinux(pid: number): string | undefined {
  try {
    // The name in brackets may hold anything; the state and, 19 fields on, the start in ticks since boot come after it.
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(")").at(-1)?.trim().split(" ") ?? [];
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").slice(0, 8);
    return fields[0] === "Z" || fields[0] === "X" ? undefined : `${boot}-${fields[19]}`;
  } catch {
    return undefined;
  }
}

function birthElsewhere(pid: number): string | undefined {
  const { stdout } = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
  return stdout?.trim() ? String(Date.parse(stdout.trim())) : undefined;
}

/** The command line of a process, its words separated by blanks; empty when it is not alive. */
export function commandOf(pid: number): string {
  if (process.platform !== "linux") {
    return spawnSync("ps", ["-ww", "-o", "command=", "-p", String(pid)], { encoding: "utf8" }).stdout?.trim() ?? "";
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}

/** Sends a signal; a process that is gone already is no error. */
export function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Waits until the process is gone; false when it is still there after `patience_ms`. */
export async function isGoneWithin(pid: number, patience_ms: number): Promise<boolean> {
  const deadline = performance.now() + patience_ms;
  while (birthOf(pid) !== undefined) {
    if (performance.now() > deadline) return false;
    await wait(10);
  }
  return true;
}
