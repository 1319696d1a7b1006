/** A PostgreSQL data directory: made, checked, and freed of what an earlier run left behind. */
import { execFile } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { StartError } from "../../errors.ts";
import { makePrivate, runAs, type Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { commandOf, isGoneWithin, signalTo } from "./processes.ts";

/** The superuser of the embedded database. */
export const superuser = "parley";

export interface Cluster {
  /** Where everything of the embedded database is: `pgdata`, `socket`, the log and the lock. */
  directory: string;
  /** PostgreSQL's own data directory. */
  pgdata: string;
  account: Account;
  binaries: Binaries;
}

/** Refuses a data directory that this PostgreSQL cannot open. */
export function checkVersion({ pgdata, binaries }: Cluster): void {
  if (!existsSync(pgdata)) return;
  const versionFile = join(pgdata, "PG_VERSION");
  if (!existsSync(versionFile)) {
    throw new StartError(
      `${pgdata} is not a PostgreSQL data directory: move it away, or set PARLEY_DATA_DIR to another directory.`,
    );
  }
  const found = readFileSync(versionFile, "utf8").trim();
  if (found === String(binaries.major)) return;
  throw new StartError(
    `${pgdata} was made by PostgreSQL ${found} and this Parley brings PostgreSQL ${binaries.major}: ` +
      `run a PostgreSQL ${found} server on it and set DATABASE_URL to that, or move its content over with pg_dumpall.`,
  );
}

/**
 * Makes the data directory. It appears under its name only when it is complete, so that a start that is killed in between
 * leaves nothing that the next one could take for a database. `isDurable` waits until it is on the disk.
 */
export async function createFiles(cluster: Cluster, isDurable: boolean, signal?: AbortSignal): Promise<void> {
  const { account, binaries, directory, pgdata } = cluster;
  const unfinished = `${pgdata}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  makePrivate(unfinished, account);
  const flags = ["--username", superuser, "--auth=reject", "--encoding=UTF8", "--no-instructions"];
  // Text sorts by code point, on every machine alike: no collation that changes under an index when the system is updated.
  const locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"];
  const sync = isDurable ? [] : ["--no-sync"];
  await new Promise<void>((resolve, reject) => {
    const args = ["-D", unfinished, ...flags, ...locale, ...sync];
    const options = { ...runAs(account), cwd: directory, env: environment, signal, encoding: "utf8" as const };
    execFile(binaries.initdb, args, options, (error, _stdout, stderr) => {
      if (!error) return resolve();
      if (signal?.aborted) return reject(error);
      const said = stderr.trim().split("\n").at(-1) || error.message;
      reject(new StartError(`The embedded database could not be created in ${directory}: ${said}`, { cause: error }));
    });
  });
  renameSync(unfinished, pgdata);
  if (isDurable) flushDirectory(directory);
}

function flushDirectory(directory: string): void {
  const descriptor = openSync(directory, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

/** What PostgreSQL's programs see of the environment: nothing of ours, so that no PGDATA or PGPORT changes what they do. */
export const environment: NodeJS.ProcessEnv = { LC_ALL: "C", TZ: "UTC" };

/**
 * Writes who may connect: the operating system's account of this process, as any role of the database, over the socket.
 * The kernel says who the other side is, so there is no password that could leak.
 */
export function writeAccessRules({ directory }: Cluster): { hba: string; ident: string } {
  const hba = join(directory, "access.conf");
  const ident = join(directory, "accounts.conf");
  writeReadable(hba, "# TYPE DATABASE USER METHOD\nlocal all all peer map=parley\n");
  writeReadable(ident, `# MAP ACCOUNT ROLE\nparley "${userInfo().username}" all\n`);
  return { hba, ident };
}

function writeReadable(file: string, content: string): void {
  rmSync(file, { force: true });
  writeFileSync(file, content);
  chmodSync(file, 0o644);
}

/**
 * Stops the PostgreSQL that still runs on the files when Parley was killed and its database was not. Only the holder of
 * the lock may call this. Afterwards no postmaster.pid stands in the way: PostgreSQL would refuse one whose process id
 * another program has by now, and it finds living remains of its own by the shared memory, not by that file.
 */
export async function stopLeftover(cluster: Cluster, onProgress: (text: string) => void): Promise<void> {
  const pid = Number(lineOfPidFile(cluster, 0));
  if (!pid) return;
  if (isOurs(pid, cluster)) {
    onProgress(`Stopping the database that an earlier run left behind (process ${pid})`);
    await stopPostmaster(pid);
  }
  rmSync(join(cluster.pgdata, "postmaster.pid"), { force: true });
}

function isOurs(pid: number, { pgdata }: Cluster): boolean {
  const command = commandOf(pid);
  return command.includes("postgres") && `${command} `.includes(` -D ${pgdata} `);
}

/** Whether PostgreSQL says that it takes connections. The states are `starting`, `ready`, `standby` and `stopping`. */
export function isReady(cluster: Cluster, pid: number): boolean {
  return Number(lineOfPidFile(cluster, 0)) === pid && lineOfPidFile(cluster, 7) === "ready";
}

function lineOfPidFile({ pgdata }: Cluster, line: number): string | undefined {
  const path = join(pgdata, "postmaster.pid");
  try {
    return readFileSync(path, "utf8").split("\n")[line]?.trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Stops PostgreSQL: at first open transactions are rolled back and everything is written (SIGINT), after 20 s it stops on the
 * spot (SIGQUIT) and recovers at the next start. Nothing that was committed is lost either way.
 */
export async function stopPostmaster(pid: number): Promise<void> {
  signalTo(pid, "SIGINT");
  if (await isGoneWithin(pid, 20_000)) return;
  signalTo(pid, "SIGQUIT");
  if (await isGoneWithin(pid, 10_000)) return;
  throw new StartError(
    `The database (process ${pid}) does not stop: look for what blocks its disk, and end it by hand.`,
  );
}
