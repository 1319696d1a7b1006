// A real cluster: separate processes of the real command over one PostgreSQL, with gateways in front.
//
//   await using cluster = await startCluster({ processes: { gateway: 2, messages: 3, "auth,keys": 1, "presence,media,web,worker": 1 } });
//   const alice = await registerPerson(cluster.gateways[0].url, "alice");
//   await cluster.of("messages")[0].kill();

import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { roleNames, type RoleName } from "../../server/src/roles.ts";
import { type Ended, type Env, type ParleyProcess, startProcess, temporaryDirectory } from "./process.ts";
import { createTestDatabase } from "./server.ts";

export type ClusterOptions = {
  /** How many processes there are of each kind; a kind is what ROLES says: one role, several with commas, or `all`. */
  processes: Readonly<Record<string, number>>;
  /** PARLEY_BUS; by default what the server takes by default. */
  bus?: string;
  /** Settings of every process, such as REDIS_URL. */
  env?: Env;
  /** What one process has beside these, by its number. */
  envOf?(number: number): Env;
  /** A database that is there already, migrated or empty; by default one of its own. */
  databaseUrl?: string;
  /** How long a process that is stopped goes on serving. */
  drain_ms?: number;
};

/** One process of the cluster. Its address stays the same through restarts. */
export type Member = {
  /** Such as messages-2. */
  readonly name: string;
  readonly roles: readonly RoleName[];
  /** Such as http://127.0.0.1:40123. */
  readonly url: string;
  /** Of the process that runs now. */
  readonly pid: number;
  readonly isRunning: boolean;
  /** Whether the process that ran last ended by itself. */
  readonly hasDied: boolean;
  /** What the process that runs now, or ran last, has logged. */
  stderr(): string;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<Ended>;
  /** SIGTERM; resolves when the process has ended by itself. */
  stop(): Promise<Ended>;
  /** Starts it again after `kill` or `stop`, with settings that differ where some are given; resolves when it is ready. */
  start(env?: Env): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  pause(): void;
  resume(): void;
};

export type Cluster = AsyncDisposable & {
  databaseUrl: string;
  /** Where every process has its media. */
  dataDir: string;
  members: readonly Member[];
  /** The processes that people connect to. */
  gateways: readonly Member[];
  of(role: RoleName): readonly Member[];
};

/** Starts the processes, the gateways last and with the addresses of the others. Stops them all when it is disposed of. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  await using started = new AsyncDisposableStack();
  const directory = started.use(toAsync(temporaryDirectory()));
  const databaseUrl = options.databaseUrl ?? started.use(await createTestDatabase()).url;
  const members = await Promise.all(kindsOf(options.processes).map(reserve));
  const of = (role: RoleName) => members.filter((member) => member.roles.includes(role));
  const env = { ...settingsOf(options, databaseUrl), ...upstreamsOf(of), PARLEY_DATA_DIR: directory.path };
  const running = members.map((member, i) => runnable(member, { ...env, ...options.envOf?.(i) }));
  started.defer(async () => void (await Promise.all(running.map((member) => member.end()))));
  const [fronting, behind] = [true, false].map((is) => running.filter(({ roles }) => roles.includes("gateway") === is));
  for (const some of [behind, fronting]) await Promise.all(some?.map((member) => member.start()) ?? []);
  const ending = started.move();
  return {
    databaseUrl,
    dataDir: directory.path,
    members: running,
    gateways: running.filter(({ roles }) => roles.includes("gateway")),
    of: (role) => running.filter(({ roles }) => roles.includes(role)),
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
}

/** A name for each process: `{ messages: 2 }` is messages-1 and messages-2. */
function kindsOf(processes: Readonly<Record<string, number>>): { name: string; kind: string }[] {
  return Object.entries(processes).flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, i) => ({ name: `${kind}-${i + 1}`, kind })),
  );
}

type Reserved = { name: string; kind: string; roles: readonly RoleName[]; port: number };

/** A port that the system has just found free: the address has to be known before the process runs, and after it was killed. */
async function reserve({ name, kind }: { name: string; kind: string }): Promise<Reserved> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return { name, kind, roles: kind === "all" ? roleNames : (kind.split(",") as RoleName[]), port };
}

function settingsOf({ bus, env, drain_ms = 0 }: ClusterOptions, databaseUrl: string): Env {
  return {
    DATABASE_URL: databaseUrl,
    PARLEY_DATABASE_CONNECTIONS: "2",
    PARLEY_TRUSTED_PROXIES: "127.0.0.1",
    PARLEY_DRAIN_MS: `${drain_ms}`,
    PARLEY_LOG_LEVEL: process.env["PARLEY_TEST_LOG"] ?? "warn",
    ...(bus === undefined ? {} : { PARLEY_BUS: bus }),
    ...env,
  };
}

/** AUTH_URL and the others, of the roles that some process has. */
function upstreamsOf(of: (role: RoleName) => readonly Reserved[]): Env {
  const fronted = roleNames.filter((role) => role !== "gateway" && role !== "worker" && of(role).length > 0);
  const urls = (role: RoleName) =>
    of(role)
      .map(({ port }) => `http://127.0.0.1:${port}`)
      .join(",");
  return Object.fromEntries(fronted.map((role) => [`${role.toUpperCase()}_URL`, urls(role)]));
}

type Runnable = Member & { end(): Promise<void> };

function runnable({ name, kind, roles, port }: Reserved, settings: Env): Runnable {
  let current: ParleyProcess | undefined;
  let isRunning = false;
  let hasDied = false;
  const run = () => {
    if (!current) throw new Error(`${name} was never started`);
    return current;
  };
  const end = async (signal: NodeJS.Signals): Promise<Ended> => {
    isRunning = false;
    return run().end(signal);
  };
  return {
    name,
    roles,
    url: `http://127.0.0.1:${port}`,
    get pid() {
      return run().pid;
    },
    get isRunning() {
      return isRunning;
    },
    get hasDied() {
      return hasDied;
    },
    stderr: () => current?.stderr() ?? "",
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
    async start(env = {}) {
      const { PARLEY_DATA_DIR = "", ...rest } = settings;
      const started = await startProcess(PARLEY_DATA_DIR, { ...rest, ROLES: kind, PARLEY_PORT: `${port}`, ...env });
      current = started;
      [isRunning, hasDied] = [true, false];
      void started.ended.then(() => {
        if (current === started && isRunning) [isRunning, hasDied] = [false, true];
      });
    },
    pause: () => void process.kill(run().pid, "SIGSTOP"),
    resume: () => void process.kill(run().pid, "SIGCONT"),
    async end() {
      if (!isRunning) return;
      process.kill(run().pid, "SIGCONT");
      await end("SIGKILL");
    },
  };
}

function toAsync<T extends Disposable>(held: T): T & AsyncDisposable {
  return Object.assign(held, { [Symbol.asyncDispose]: async () => held[Symbol.dispose]() });
}
