/**
 * A real PostgreSQL that Parley brings along and runs as its child, for a start with one command. Why it is run by hand
 * and not through the class of the npm package: docs/decisions/0002-embedded-postgresql.md.
 *
 * The start: the directory is locked, what an earlier run left behind is stopped, the data directory is made if there is
 * none, and PostgreSQL is started. It ends by `stop()`, or when this process ends in any way but SIGKILL; after a SIGKILL
 * it lives on until the next start stops it. Nothing that was committed is lost in any of these ways.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { StartError } from "../errors.ts";
import {
  accountFor,
  closedTo,
  isRoot,
  makeEnterable,
  makePrivate,
  unprivilegedAccount,
  type Account,
} from "./embedded/account.ts";
import { locateBinaries, sharedDir } from "./embedded/binaries.ts";
import { checkVersion, createFiles, superuser, writeAccessRules, type Cluster } from "./embedded/cluster.ts";
import { takeLock } from "./embedded/lock.ts";
import { runPostmaster } from "./embedded/postmaster.ts";

/** Durable, and sized for one small machine that it shares with Parley. */
const standardSettings: Readonly<Record<string, string>> = {
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  shared_buffers: "128MB",
  max_connections: "200",
  wal_compression: "on",
  max_wal_size: "2GB",
  checkpoint_timeout: "15min",
  random_page_cost: "1.1",
  jit: "off",
  // No helper processes for reading ahead: the rows that a conversation needs are few and mostly in memory.
  io_method: "sync",
  // Nothing subscribes to it.
  max_logical_replication_workers: "0",
  timezone: "UTC",
  log_timezone: "UTC",
  log_line_prefix: "%m [%p] %q%u@%d ",
  cluster_name: "parley",
};

/** Unix domain sockets have short names: 104 bytes on macOS, 108 on Linux, and `/.s.PGSQL.5432` is part of them. */
const socketDirMax_bytes = 104 - "/.s.PGSQL.5432".length - 1;

export interface EmbeddedPostgresOptions {
  /** The directory of the database and of nothing else, such as `<PARLEY_DATA_DIR>/postgres`. Made when it is missing. */
  dataDir: string;
  /** Told what a start that takes a while is doing, and when the database had to be started again. */
  onProgress: (text: string) => void;
  /** PostgreSQL settings on top of the standard ones. With `fsync: "off"`, for tests, the creation does not wait for the disk either. */
  settings?: Readonly<Record<string, string>>;
  /** Calls the start off; the promise then rejects with its reason. Without effect once the database is ready. */
  signal?: AbortSignal;
}

export interface EmbeddedPostgres extends AsyncDisposable {
  /**
   * Where it is, as the superuser: `postgres://parley@%2Fpath%2Fto%2Fsocket:5432/postgres`. The host is the percent-encoded
   * directory of a Unix domain socket; there is no TCP port. Only this process's account is let in, without a password, as
   * any role: put another name before the `@` to connect as another role.
   */
  readonly url: string;
  /** The process id. It changes when the database had to be started again. */
  readonly pid: number;
  /** Ends the database: open transactions are rolled back, everything committed is on disk. Calling it again does nothing. */
  stop(): Promise<void>;
}

/**
 * Starts the embedded PostgreSQL and waits until it takes connections. Throws StartError, with one sentence for the operator,
 * when the directory is in use, belongs to another account or another PostgreSQL, or when PostgreSQL does not start.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { onProgress, signal } = options;
  signal?.throwIfAborted();
  const cluster = openCluster(options.dataDir);
  const lock = await takeLock(cluster.directory);
  if ("heldBy" in lock) {
    const fix = "stop it first, or set PARLEY_DATA_DIR to another directory.";
    throw new StartError(`Another Parley (process ${lock.heldBy}) is using ${cluster.directory}: ${fix}`);
  }
  let socket = "";
  const giveBack = () => {
    if (socket) rmSync(socket, { recursive: true, force: true });
    lock.release();
  };
  try {
    const settings = { ...standardSettings, ...options.settings };
    checkVersion(cluster);
    if (!existsSync(cluster.pgdata)) {
      onProgress(`Creating the database in ${cluster.directory}`);
      await createFiles(cluster, settings["fsync"] !== "off", signal);
    }
    socket = makeSocketDir(cluster);
    const postmaster = await runPostmaster({
      cluster,
      args: argumentsFor(cluster, socket, settings),
      onProgress,
      signal,
    });
    const stop = once(async () => {
      await postmaster.stop();
      giveBack();
    });
    const url = `postgres://${superuser}@${encodeURIComponent(socket)}:5432/postgres`;
    return {
      url,
      get pid() {
        return postmaster.pid;
      },
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    giveBack();
    throw error;
  }
}

/**
 * Where the data goes when no setting says so: `data` in the checkout. When Parley is root, the database runs as another
 * account, which must be able to get there; a checkout that is closed to it (under /root, say) has its data in
 * `/var/lib/parley/<name of the checkout>-<hash of its path>` instead.
 */
export function defaultDataDir(repoRoot: string): string {
  const root = resolve(repoRoot);
  if (!isRoot() || closedTo(unprivilegedAccount(), root) === undefined) return join(root, "data");
  const hash = createHash("sha256").update(root).digest("hex").slice(0, 8);
  return join(sharedDir, `${basename(root)}-${hash}`);
}

function openCluster(dataDir: string): Cluster {
  if (process.platform === "win32") {
    throw new StartError("The embedded PostgreSQL runs on Linux and macOS: set DATABASE_URL to a PostgreSQL server.");
  }
  try {
    makeEnterable(dirname(resolve(dataDir)));
    const account = accountFor(dataDir);
    refuseClosed(dataDir, account);
    makePrivate(dataDir, account);
    const directory = realpathSync(dataDir);
    return { directory, pgdata: join(directory, "pgdata"), account, binaries: locateBinaries(account) };
  } catch (error) {
    if (error instanceof StartError) throw error;
    const { message } = error as Error;
    throw new StartError(`The data directory ${dataDir} cannot be used: ${message}`, { cause: error });
  }
}

function refuseClosed(dataDir: string, account: Account): void {
  const closed = closedTo(account, dirname(resolve(dataDir)));
  if (closed === undefined) return;
  throw new StartError(
    `The database runs as ${account.name}, because PostgreSQL refuses to run as root, and ${closed} is closed to that account: ` +
      `set PARLEY_DATA_DIR to a directory that it can reach, or open the way with "chmod o+x ${closed}".`,
  );
}

/** A directory for the socket that only PostgreSQL's account (and root) can enter: beside the data, or with a shorter name. */
function makeSocketDir({ directory, account }: Cluster): string {
  const beside = join(directory, "socket");
  rmSync(beside, { recursive: true, force: true });
  const path = Buffer.byteLength(beside) <= socketDirMax_bytes ? beside : mkdtempSync(join(tmpdir(), "parley-"));
  makePrivate(path, account);
  return path;
}

function argumentsFor(cluster: Cluster, socket: string, settings: Readonly<Record<string, string>>): string[] {
  const { hba, ident } = writeAccessRules(cluster);
  const all = {
    ...settings,
    listen_addresses: "",
    port: "5432",
    unix_socket_directories: socket,
    hba_file: hba,
    ident_file: ident,
  };
  return Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= action());
}
