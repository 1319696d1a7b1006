// A real PostgreSQL 17 with Apache AGE for tests, where `npm test` has brought it (scripts/lib/age.mjs). It listens on a free port
// of this machine, and ends with the process that started it.

import { randomUUID } from "node:crypto";
import { chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { connectOwner } from "../../server/src/db/database.ts";
import { migrate } from "../../server/src/db/migrate.ts";
import { freePort } from "./ports.ts";
import { type Running, supervise } from "./services.ts";

export type Age = AsyncDisposable & {
  /** As the superuser, over TCP with a password: postgres://parley:…@127.0.0.1:40123/postgres. The extension is there. */
  url: string;
  /** What it has said of sessions that ended by a fault, which end all others. */
  crashes(): readonly string[];
  /** Ends it, and its data. */
  stop(): Promise<void>;
};

export type AgeOptions = {
  /** Whether every connection has the library loaded (shared_preload_libraries), as deploy/cnpg has it. True unless said otherwise. */
  preload?: boolean;
};

/** A small Debian that is run by chroot. */
const root = fileURLToPath(new URL("../../.runtime/age-17", import.meta.url));
/** Nobody's: PostgreSQL refuses to be root. */
const account = 65_534;
const bin = "/usr/lib/postgresql/17/bin";
const superuser = "parley";

/** What docs/operations/access-graph.md tells an operator to run, for the access graph of a Parley in this database. */
export const graphGrants = `grant usage on schema ag_catalog to parley_graph;
  grant select on ag_catalog.ag_graph, ag_catalog.ag_label to parley_graph;
  grant create on database postgres to parley_graph`;

/** Makes the database one that a server with an access graph in Apache AGE may be started on. */
export async function prepareForGraph({ url }: Pick<Age, "url">): Promise<void> {
  await migrate(url);
  const owner = await connectOwner(url);
  await owner.query(graphGrants);
  await owner.end();
}

/** Why tests with it are skipped, for `test(…, { skip })`; false where it can be started. */
export function missingAge(): string | false {
  return (
    !existsSync(root) &&
    "PostgreSQL with Apache AGE is not there (npm test brings it where it is run by root on Debian)"
  );
}

/** Starts one, in a second or two. Gives why there is none where this machine does not have it. */
export async function startAge({ preload = true }: AgeOptions = {}): Promise<Age | { missing: string }> {
  const missing = missingAge();
  if (missing) return { missing };
  const name = `run/age-${randomUUID()}`;
  const directory = join(root, name);
  const password = randomUUID();
  mkdirSync(directory);
  chownSync(directory, account, account);
  writeFileSync(join(directory, "password"), password);
  const port = await freePort();
  let running: Running | undefined;
  const stop = async () => {
    await running?.end();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  try {
    running = await supervise(commandFor({ data: `/${name}`, port, preload }));
    const url = `postgres://${superuser}:${password}@127.0.0.1:${port}/postgres`;
    await createExtension(url);
    const { alarms } = running;
    return { url, crashes: () => alarms, stop, [Symbol.asyncDispose]: stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** One shell line inside: the cluster is made, and the server takes the shell's place. */
function commandFor({ data, port, preload }: { data: string; port: number; preload: boolean }) {
  const settings = {
    listen_addresses: "127.0.0.1",
    port: `${port}`,
    unix_socket_directories: "",
    dynamic_shared_memory_type: "mmap",
    max_connections: "60",
    jit: "off",
    autovacuum_naptime: "5s",
    ...(preload ? { shared_preload_libraries: "age" } : {}),
  };
  const flags = Object.entries(settings).map(([name, value]) => `-c ${name}='${value}'`);
  const init = `${bin}/initdb -D ${data}/pg -U ${superuser} --auth=scram-sha-256 --pwfile=${data}/password --no-sync --no-locale -E UTF8 -c dynamic_shared_memory_type=mmap`;
  const script = `${init} && exec ${bin}/postgres -D ${data}/pg ${flags.join(" ")}`;
  return {
    program: "chroot",
    args: [`--userspec=${account}:${account}`, root, "/bin/sh", "-c", script],
    env: { TZ: "UTC" },
    ready: /ready to accept connections/,
    alarm: /PANIC|was terminated by|exited with exit code/,
  };
}

async function createExtension(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query("create extension age");
  } finally {
    await client.end();
  }
}
