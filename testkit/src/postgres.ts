// PostgreSQL servers that a test may kill, pause, promote and fill up: the embedded binaries without their keeper. Nothing starts
// them again but the test.

import { execFile, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { accountFor, makePrivate } from "../../server/src/db/embedded/account.ts";
import { atEndOfProcess } from "../../server/src/db/embedded/at-end.ts";
import { locateBinaries } from "../../server/src/db/embedded/binaries.ts";
import { createFiles, superuser, writeAccessRules, type Cluster } from "../../server/src/db/embedded/cluster.ts";
import { spawnPostmaster } from "../../server/src/db/embedded/postmaster.ts";
import { birthOf, signalTo } from "../../server/src/db/embedded/processes.ts";

const READY_DEADLINE_MS = 30_000;

const SETTINGS: Record<string, string> = {
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  shared_buffers: "32MB",
  max_connections: "200",
  wal_level: "replica",
  wal_keep_size: "256MB",
  max_wal_size: "128MB",
  min_wal_size: "32MB",
  wal_retrieve_retry_interval: "100ms",
  wal_receiver_status_interval: "100ms",
  hot_standby_feedback: "on",
  io_method: "sync",
  max_logical_replication_workers: "0",
  // A killed server leaves what it has shared in files of its own directory, and nothing of the machine's.
  dynamic_shared_memory_type: "mmap",
  jit: "off",
  timezone: "UTC",
};

export type Postgres = {
  /** As the superuser, over its socket. */
  url: string;
  /** The socket itself, for a proxy in front of it. */
  socket: string;
  directory: string;
  isRunning(): boolean;
  /** Sends the signal to the server and all of its processes. */
  signal(signal: NodeJS.Signals): void;
  /** Ends every process of it at once, as a crash of the machine does. */
  crash(): Promise<void>;
  /** Starts it after a crash or a stop, and waits until it takes connections. Does nothing while it runs. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Runs one statement on a connection of its own. */
  query<R extends object = Record<string, unknown>>(sql: string, params?: unknown[]): Promise<R[]>;
};

/** Makes a database in `directory`, which is made, and starts it. */
export async function createPostgres(directory: string, settings: Record<string, string> = {}): Promise<Postgres> {
  const cluster = clusterIn(directory);
  await createFiles(cluster, false);
  const server = serverOn(cluster, settings);
  await server.start();
  return server;
}

/**
 * Makes a standby that follows `primary`, from a copy that is taken while it runs, and starts it. It is the synchronous one
 * where `settings` of the primary, or `alter system`, name it: its name is `name`.
 */
export async function createStandby(
  primary: Postgres,
  { directory, name, settings = {} }: { directory: string; name: string; settings?: Record<string, string> },
): Promise<Postgres> {
  const cluster = clusterIn(directory);
  const client = await connect(primary.url);
  try {
    await client.query("select pg_backup_start('copy', true)");
    await copyFiles(join(primary.directory, "pgdata"), cluster.pgdata);
    const { rows } = await client.query<{ labelfile: string }>("select labelfile from pg_backup_stop(false)");
    writeFileSync(join(cluster.pgdata, "backup_label"), rows[0]?.labelfile ?? "");
  } finally {
    await client.end();
  }
  rmSync(join(cluster.pgdata, "postgresql.auto.conf"), { force: true });
  writeFileSync(join(cluster.pgdata, "postgresql.auto.conf"), "");
  writeFileSync(join(cluster.pgdata, "standby.signal"), "");
  own(cluster);
  const following = `user=${superuser} host=${dirOf(primary.socket)} port=5432 application_name=${name}`;
  const server = serverOn(cluster, { primary_conninfo: following, ...settings });
  await server.start();
  return server;
}

const NOT_COPIED = ["postmaster.pid", "postmaster.opts", "standby.signal"];

/** In a process of its own: what goes through proxies of this one goes on meanwhile. */
async function copyFiles(from: string, to: string): Promise<void> {
  try {
    await promisify(execFile)("cp", ["-R", "-p", from, to], { env: { ...process.env, LC_ALL: "C" } });
  } catch (thrown) {
    // A file may go before it is copied: the server is at work.
    const lines = (thrown as { stderr: string }).stderr.trim().split("\n");
    if (!lines.every((line) => line.endsWith("No such file or directory"))) throw thrown;
  }
  for (const name of NOT_COPIED) rmSync(join(to, name), { force: true });
}

/** Waits until `check` gives true. Rejects, with what was waited for, after half a minute. */
export async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  const deadline_ms = performance.now() + READY_DEADLINE_MS;
  while (!(await check())) {
    if (performance.now() > deadline_ms) throw new Error(`${what} did not happen within ${READY_DEADLINE_MS} ms`);
    await wait(10);
  }
}

/** Makes `standby` the one that every commit on `primary` waits for, and waits until it is. */
export async function makeSynchronous(primary: Postgres, name: string): Promise<void> {
  await primary.query(`alter system set synchronous_standby_names = '${name}'`);
  await primary.query("select pg_reload_conf()");
  await until(`the synchronous standby ${name}`, async () => {
    const rows = await primary.query<{ state: string }>(
      "select sync_state as state from pg_stat_replication where application_name = $1",
      [name],
    );
    return rows[0]?.state === "sync";
  });
}

/** Makes the standby a primary that waits for no other one, and waits until it takes changes. */
export async function promote(standby: Postgres): Promise<void> {
  await until("the promotion", async () => {
    // A query that waited would keep a snapshot, for which the replay may wait, which the promotion waits for.
    await standby.query("select pg_promote(false) where pg_is_in_recovery()").catch(unlessEnded);
    const [row] = await standby
      .query<{ isOver: boolean }>('select not pg_is_in_recovery() as "isOver"')
      .catch(unlessEnded);
    return row?.isOver === true;
  });
  await standby.query("alter system set synchronous_standby_names = ''");
  await standby.query("select pg_reload_conf()");
}

function unlessEnded(thrown: unknown): [] {
  if (["40001", "55000", "57014", "57P01"].includes((thrown as { code?: string }).code ?? "")) return [];
  throw thrown;
}

function clusterIn(directory: string): Cluster {
  mkdirSync(directory, { recursive: true });
  const account = accountFor(join(directory, "none"));
  makePrivate(directory, account);
  makePrivate(join(directory, "socket"), account);
  return { directory, pgdata: join(directory, "pgdata"), account, binaries: locateBinaries(account) };
}

/** What root has copied belongs to PostgreSQL's account. */
function own({ pgdata, account }: Cluster): void {
  if (process.getuid?.() !== 0) return;
  for (const path of [pgdata, ...listAll(pgdata)]) chownSync(path, account.uid, account.gid);
}

function listAll(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).map((entry) =>
    join(entry.parentPath, entry.name),
  );
}

function dirOf(socket: string): string {
  return socket.slice(0, socket.lastIndexOf("/"));
}

function serverOn(cluster: Cluster, settings: Record<string, string>): Postgres {
  const socketDir = join(cluster.directory, "socket");
  const url = `postgres://${superuser}@${encodeURIComponent(socketDir)}:5432/postgres`;
  let child: ChildProcess | undefined;
  let callOff = () => {};
  const isRunning = () => child !== undefined && child.exitCode === null && child.signalCode === null;
  const signal = (name: NodeJS.Signals) => {
    if (isRunning()) signalAll(child?.pid as number, name);
  };
  const end = async (name: "SIGKILL" | "SIGINT") => {
    if (!child || !isRunning()) return;
    child.ref();
    const gone = once(child, "exit");
    const pid = child.pid as number;
    const all = [pid, ...childrenOf(pid)];
    if (name === "SIGINT") signalTo(pid, name);
    else signalAll(pid, name);
    await gone;
    // What it had forked lets go of its shared memory a moment later; a start before that would fail.
    await until("the end of PostgreSQL's processes", async () => all.every((each) => birthOf(each) === undefined));
    callOff();
  };
  return {
    url,
    socket: join(socketDir, ".s.PGSQL.5432"),
    directory: cluster.directory,
    isRunning,
    signal,
    crash: () => end("SIGKILL"),
    stop: () => end("SIGINT"),
    async start() {
      if (isRunning()) return;
      rmSync(join(cluster.pgdata, "postmaster.pid"), { force: true });
      child = launch(cluster, { ...SETTINGS, ...settings });
      callOff = atEndOfProcess(() => signal("SIGKILL"));
      await becomesReady(cluster, url, child);
    },
    async query<R extends object>(sql: string, params: unknown[] = []) {
      const client = await connect(url);
      try {
        return (await client.query<R>(sql, params)).rows;
      } finally {
        await client.end().catch(() => {});
      }
    },
  };
}

/** The processes that the server has forked: each of them is the first of a group of its own. */
function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" });
  return stdout.split("\n").flatMap((line) => {
    const [child, parent] = line.trim().split(/\s+/).map(Number);
    return parent === pid ? [child as number] : [];
  });
}

/**
 * As if the machine stood still, went on or crashed: nothing of the server may outlive a part of it. A backend that lives to
 * see the server's first process die tells others what it was about to commit, though no standby has it.
 */
function signalAll(pid: number, name: NodeJS.Signals): void {
  // It forks no more while its children are looked for.
  signalTo(pid, "SIGSTOP");
  for (const each of childrenOf(pid)) signalTo(each, name);
  signalTo(pid, name);
}

function launch(cluster: Cluster, settings: Record<string, string>): ChildProcess {
  const { account, directory } = cluster;
  const { hba, ident } = writeAccessRules(cluster);
  // The walreceiver and walsender come over the same socket.
  writeFileSync(hba, "local all all peer map=parley\nlocal replication all peer map=parley\n");
  const accounts = [account.name, userInfo().username];
  writeFileSync(ident, accounts.map((name) => `parley "${name}" all\n`).join(""));
  const fixed = {
    listen_addresses: "",
    unix_socket_directories: join(directory, "socket"),
    hba_file: hba,
    ident_file: ident,
  };
  const args = Object.entries({ ...settings, ...fixed }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return spawnPostmaster({ cluster, args }, openSync(join(directory, "postgres.log"), "a"));
}

async function becomesReady(cluster: Cluster, url: string, child: ChildProcess): Promise<void> {
  await until("the start of PostgreSQL", async () => {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(
        `PostgreSQL ended:\n${readFileSync(join(cluster.directory, "postgres.log"), "utf8").slice(-2_000)}`,
      );
    try {
      const client = await connect(url);
      await client.end();
      return true;
    } catch {
      return false;
    }
  });
  child.unref();
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
  // A connection that is cut by a killed server says so twice; the awaited query is the one that counts.
  client.on("error", () => {});
  await client.connect();
  return client;
}
