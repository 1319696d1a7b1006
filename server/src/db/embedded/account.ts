/**
 * As which account PostgreSQL runs. It refuses to run as root, so when Parley is root the database gets an unprivileged
 * account that exists already; otherwise it runs as the user who started Parley.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, resolve } from "node:path";
import { StartError } from "../../errors.ts";

export interface Account {
  name: string;
  uid: number;
  gid: number;
}

/** Whether this process is root, as whom PostgreSQL does not run. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * The account for a database whose files are (or will be) in `cluster`. For root that is the owner of the files, so that a
 * start with sudo does not take the data away from its user; for a new database `postgres`, else `nobody`.
 */
export function accountFor(cluster: string): Account {
  const owner = statSync(cluster, { throwIfNoEntry: false });
  if (!isRoot()) {
    const { username: name, uid, gid } = userInfo();
    if (owner && owner.uid !== uid)
      throw new StartError(
        `${cluster} belongs to another account (uid ${owner.uid}): start as that account or as root, or set PARLEY_DATA_DIR to another directory.`,
      );
    return { name, uid, gid };
  }
  if (owner && owner.uid !== 0) return { name: `uid ${owner.uid}`, uid: owner.uid, gid: owner.gid };
  return unprivilegedAccount();
}

/** The account that stands in for root when there is no data yet. */
export function unprivilegedAccount(): Account {
  for (const name of ["postgres", "nobody"]) {
    const uid = numberOf("-u", name);
    const gid = numberOf("-g", name);
    if (uid !== undefined && gid !== undefined) return { name, uid, gid };
  }
  throw new StartError(
    "PostgreSQL does not run as root, and there is neither an account postgres nor nobody: start Parley as an ordinary user, or set DATABASE_URL.",
  );
}

function numberOf(which: "-u" | "-g", name: string): number | undefined {
  const { status, stdout } = spawnSync("id", [which, name], { encoding: "utf8" });
  return status === 0 ? Number(stdout.trim()) : undefined;
}

/** The outermost directory on the way to `path` that the account cannot enter, judged by owner, group and mode. */
export function closedTo(account: Account, path: string): string | undefined {
  const absolute = resolve(path);
  const parent = dirname(absolute);
  const above = parent === absolute ? undefined : closedTo(account, parent);
  if (above !== undefined) return above;
  const stat = statSync(absolute, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return undefined;
  const bit = stat.uid === account.uid ? 0o100 : stat.gid === account.gid ? 0o010 : 0o001;
  return (stat.mode & bit) === 0 ? absolute : undefined;
}

/** Makes a directory and those above it that are missing. They can be entered by all accounts, whatever the umask is. */
export function makeEnterable(directory: string): void {
  const first = mkdirSync(directory, { recursive: true });
  if (first === undefined) return;
  for (let each = resolve(directory); each.length >= first.length; each = dirname(each)) chmodSync(each, 0o755);
}

/** Makes a directory that is the account's alone. */
export function makePrivate(directory: string, account: Account): void {
  makeEnterable(directory);
  if (isRoot()) chownSync(directory, account.uid, account.gid);
  chmodSync(directory, 0o700);
}

/** What `spawn` needs to run a program as the account. */
export function runAs(account: Account): { uid?: number; gid?: number } {
  return isRoot() ? { uid: account.uid, gid: account.gid } : {};
}
