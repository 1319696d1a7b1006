/**
 * A folder of backups, each named by the moment at which it was begun, so that names sort by age: what a job makes each night, and
 * what a restore picks the newest of. Only folders with such a name are looked at, and only one with a manifest is a backup.
 */
import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { StartError } from "../errors.ts";
import { MANIFEST } from "./manifest.ts";

const NAME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ$/;

/** Where a backup that begins now goes: `2026-11-21T02-30-00Z` below the folder. */
export function datedFolder(folder: string, now_ms: number): string {
  const moment = new Date(now_ms).toISOString();
  return join(folder, `${moment.slice(0, 19).replaceAll(":", "-")}Z`);
}

/** The newest backup of the folder. Throws StartError where there is none. */
export async function newestIn(folder: string): Promise<string> {
  const newest = (await namesIn(folder)).filter((name) => isWhole(folder, name)).at(-1);
  if (newest === undefined)
    throw new StartError(`There is no backup in ${folder}: none that was made with --dated and has a ${MANIFEST}.`);
  return join(folder, newest);
}

/**
 * Removes the backups that are older than the newest `count`, and what was cut short before the newest of all. Gives the names.
 * What is begun later than the newest backup may be in the making, and stays.
 */
export async function keepNewest(folder: string, count: number): Promise<string[]> {
  const names = await namesIn(folder);
  const whole = names.filter((name) => isWhole(folder, name));
  const [kept, newest] = [new Set(whole.slice(-count)), whole.at(-1) ?? ""];
  const old = names.filter((name) => name < newest && !kept.has(name));
  for (const name of old) await rm(join(folder, name), { recursive: true, force: true });
  return old;
}

async function namesIn(folder: string): Promise<string[]> {
  return existsSync(folder) ? (await readdir(folder)).filter((name) => NAME.test(name)).toSorted() : [];
}

function isWhole(folder: string, name: string): boolean {
  return existsSync(join(folder, name, MANIFEST));
}
