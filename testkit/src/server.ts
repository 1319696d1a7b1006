// A real server for a test: its own database in a PostgreSQL that all servers of the test process share.

import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type Config, readConfig } from "../../server/src/config.ts";
import type { Context } from "../../server/src/context.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../server/src/db/embedded.ts";
import { migrate } from "../../server/src/db/migrate.ts";
import { startServer } from "../../server/src/server.ts";
import { checkEveryFetch } from "./checked-fetch.ts";
import { soon, soonFound } from "./wait.ts";
import type { Seams } from "../../server/src/seams.ts";

export type TestServerOptions = {
  /** Settings that differ from those of a test server (see `configFor`). */
  config?: Partial<Config>;
  /** The clock, chance and timers, where the test holds them. */
  seams?: Seams;
  /** The database of another test server: a second replica beside it, or a start after a stop. */
  databaseUrl?: string;
};

export type TestServer = AsyncDisposable & {
  /** Such as http://127.0.0.1:40123. */
  url: string;
  ctx: Context;
  databaseUrl: string;
  /** Where its media are. */
  dataDir: string;
  /** Stops the server; its database goes too, unless it was handed in. */
  stop(): Promise<void>;
  /** Stops the server and leaves its database, for `startTestServer({ databaseUrl })`. */
  halt(): Promise<void>;
};

/**
 * Starts a server on a free port. The first start of a process brings up a PostgreSQL (about two seconds); each one after
 * that copies a migrated database and takes a fraction of a second.
 */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  checkEveryFetch();
  const shared = await (sharedDatabase ??= openSharedDatabase());
  const databaseUrl = options.databaseUrl ?? (await shared.create());
  const dataDir = mkdtempSync(join(shared.directory, "data-"));
  const config = configFor({ databaseUrl, dataDir, ...options.config });
  const server = await startServer(config, options.seams ? { seams: options.seams } : {});
  const halt = async () => {
    await soon(`the server at ${server.url} has stopped`, server.stop());
    rmSync(dataDir, { recursive: true, force: true });
  };
  const stop = async () => {
    await halt();
    if (options.databaseUrl === undefined) await shared.drop(databaseUrl);
  };
  return { url: server.url, ctx: server.ctx, databaseUrl, dataDir, stop, halt, [Symbol.asyncDispose]: stop };
}

/** Resolves when so many syncs wait for news at the server. */
export function untilSyncsWait({ ctx }: Pick<TestServer, "ctx">, count: number): Promise<unknown> {
  const waiting = async () => (await ctx.metrics.syncWaiting.get()).values[0]?.value ?? 0;
  return soonFound(`${count} syncs wait for news`, async () => (await waiting()) === count);
}

/** A migrated database of its own, for a test that needs no server. Dropped when it is disposed of. */
export async function createTestDatabase(): Promise<AsyncDisposable & { url: string }> {
  const shared = await (sharedDatabase ??= openSharedDatabase());
  const url = await shared.create();
  return { url, [Symbol.asyncDispose]: () => shared.drop(url) };
}

/** Open to everyone, without limits, with cheap passwords, silent unless PARLEY_TEST_LOG names a level. */
function configFor(changes: Partial<Config> & { databaseUrl: string; dataDir: string }): Config {
  const defaults = readConfig({
    DATABASE_URL: changes.databaseUrl,
    PARLEY_PORT: "0",
    PARLEY_METRICS_PORT: "off",
    PARLEY_REGISTRATION: "open",
    PARLEY_RATE_LIMITS: "off",
    PARLEY_PASSWORD_COST: "low",
    PARLEY_DATABASE_CONNECTIONS: "2",
    PARLEY_LOG_LEVEL: process.env["PARLEY_TEST_LOG"] ?? "silent",
  });
  return { ...defaults, ...changes };
}

type SharedDatabase = {
  directory: string;
  /** A new, migrated database; gives its URL. */
  create(): Promise<string>;
  drop(url: string): Promise<void>;
};

const TEMPLATE = "parley_template";
let sharedDatabase: Promise<SharedDatabase> | undefined;

async function openSharedDatabase(): Promise<SharedDatabase> {
  const directory = makeDirectory();
  // PostgreSQL ends with this process, by its own means.
  process.once("exit", () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  const postgres = await startWithTemplate(join(directory, "postgres"));
  let made = 0;
  return {
    directory,
    async create() {
      const name = `parley_${++made}`;
      await administer(postgres.url, `create database ${name} template ${TEMPLATE} strategy wal_log`);
      return withDatabase(postgres.url, name);
    },
    drop: (url) => administer(postgres.url, `drop database ${url.slice(url.lastIndexOf("/") + 1)} with (force)`),
  };
}

/** Where the files of one run share what they make; undefined for a file that is run by itself. See scripts/lib/run-tests.mjs. */
const shelf = process.env["PARLEY_TEST_SHELF"];

/** A PostgreSQL that has the migrated template: a copy of the one that the first file of a run has made, or made here. */
async function startWithTemplate(dataDir: string): Promise<EmbeddedPostgres> {
  const start = () => startEmbeddedPostgres({ dataDir, onProgress: () => {} });
  const shared = shelf === undefined ? undefined : join(shelf, "postgres");
  if (shared !== undefined && existsSync(shared)) {
    copyTree(shared, dataDir);
    return start();
  }
  const postgres = await start();
  await administer(postgres.url, `create database ${TEMPLATE}`);
  await migrate(withDatabase(postgres.url, TEMPLATE));
  if (shared === undefined) return postgres;
  await postgres.stop();
  const copy = mkdtempSync(`${shared}-`);
  copyTree(dataDir, join(copy, "whole"));
  try {
    // Nobody is to see half of one.
    renameSync(join(copy, "whole"), shared);
  } catch (thrown) {
    // Another file has made it meanwhile.
    if (!existsSync(shared)) throw thrown;
  }
  rmSync(copy, { recursive: true });
  return start();
}

/** With its owners: run by root, PostgreSQL is another account. */
function copyTree(from: string, to: string): void {
  execFileSync("cp", ["-a", from, to]);
}

/** A connection for one statement: nothing may stay open when the process, and PostgreSQL with it, ends. */
async function administer(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** In memory where the system has such a file system: the database then waits for no disk, though it asks for it. */
function makeDirectory(): string {
  const directory = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "parley-test-"));
  // Run by root, PostgreSQL is another account.
  chmodSync(directory, 0o755);
  return directory;
}

function withDatabase(url: string, name: string): string {
  return url.replace(/\/[^/]*$/, `/${name}`);
}
