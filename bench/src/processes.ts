// What Linux tells of processes under /proc. Everything here reads the moment and keeps nothing.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface ProcessStat {
  pid: number;
  parentPid: number;
  /** The executable's name, at most 15 characters. */
  name: string;
  /** CPU time used so far, by the process and by its children that have ended and were waited for. */
  cpu_ms: number;
  /** When it started, in the kernel's ticks since boot: with the pid, what makes a process unmistakable. */
  startedAt_ticks: number;
}

/** The kernel counts CPU time in ticks of 10 ms on every Linux that Node runs on (`getconf CLK_TCK` is 100). */
const TICK_MS = 10;

/** One process, or undefined when it has ended. See proc_pid_stat(5). */
export function readProcess(pid: number): ProcessStat | undefined {
  const text = readOrEmpty(`/proc/${pid}/stat`);
  const nameEnd = text.lastIndexOf(")"); // the name may itself hold spaces and brackets
  if (nameEnd < 0) return undefined;
  const fields = text.slice(nameEnd + 2).split(" ");
  // utime, stime, cutime and cstime: fields 14 to 17 of the manual, which counts from the pid.
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return {
    pid,
    parentPid: Number(fields[1]),
    name: text.slice(text.indexOf("(") + 1, nameEnd),
    cpu_ms: ticks * TICK_MS,
    startedAt_ticks: Number(fields[19]),
  };
}

export function listProcesses(): ProcessStat[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => readProcess(Number(entry)))
    .filter((stat) => stat !== undefined);
}

/** The processes of `roots` and everything below them. */
export function withDescendants(all: readonly ProcessStat[], roots: readonly number[]): ProcessStat[] {
  const inside = new Set(roots);
  for (let before = -1; before !== inside.size;) {
    before = inside.size;
    for (const stat of all) if (inside.has(stat.parentPid)) inside.add(stat.pid);
  }
  return all.filter((stat) => inside.has(stat.pid));
}

/** The processes' arguments joined by spaces; empty when the process has ended. */
export function commandLine(pid: number): string {
  return readOrEmpty(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
}

/** Resident memory, and the highest that it ever was. Zero for a process that has ended. */
export function residentMemory(pid: number): { rss_bytes: number; peak_bytes: number } {
  const status = readOrEmpty(`/proc/${pid}/status`);
  return { rss_bytes: kibibytes(status, "VmRSS"), peak_bytes: kibibytes(status, "VmHWM") };
}

/**
 * Proportional memory: what is shared by n processes counts as one n-th in each, so that the sum
 * over PostgreSQL's backends counts its shared buffers once.
 */
export function proportionalMemory_bytes(pid: number): number {
  return kibibytes(readOrEmpty(`/proc/${pid}/smaps_rollup`), "Pss");
}

/** CPU time that the whole machine has spent busy since it started, in all cores together. */
export function machineBusy_ms(): number {
  const [first = ""] = readOrEmpty("/proc/stat").split("\n", 1);
  const [user, nice, system, , , irq, softirq] = first.trim().split(/\s+/).slice(1).map(Number);
  return [user, nice, system, irq, softirq].reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0) * TICK_MS;
}

/** How many files, sockets among them, this process and those that it starts may have open. Unlimited where nobody says so. */
export function openFilesLimit(): number {
  const found = /^Max open files\s+(\d+)/m.exec(readOrEmpty("/proc/self/limits"));
  return found ? Number(found[1]) : Number.POSITIVE_INFINITY;
}

/** The process that listens on this TCP port of this machine, where the system lets us see it. */
export function findListener(port: number): number | undefined {
  const inode = listeningInode("/proc/net/tcp", port) ?? listeningInode("/proc/net/tcp6", port);
  if (inode === undefined) return undefined;
  return listProcesses().find(({ pid }) => holdsSocket(pid, inode))?.pid;
}

/** What the program of a running process says to `--version`; undefined when it can not be asked. */
export function programVersion(pid: number): string | undefined {
  try {
    return execFileSync(`/proc/${pid}/exe`, ["--version"], { encoding: "utf8", timeout: 5_000 }).trim();
  } catch {
    return undefined;
  }
}

const TCP_LISTEN = "0A";

function listeningInode(table: string, port: number): string | undefined {
  const hexPort = port.toString(16).toUpperCase().padStart(4, "0");
  for (const line of readOrEmpty(table).split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    if (fields[3] === TCP_LISTEN && fields[1]?.endsWith(`:${hexPort}`)) return fields[9];
  }
  return undefined;
}

function holdsSocket(pid: number, inode: string): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((fd) => linkTarget(`${folder}/${fd}`) === `socket:[${inode}]`);
  } catch {
    return false; // ended, or another user's
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // closed since it was listed
  }
}

function kibibytes(status: string, field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status);
  return Number(match?.[1] ?? 0) * 1024;
}

/** A process may end between being listed and being read, and other systems have no /proc. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
