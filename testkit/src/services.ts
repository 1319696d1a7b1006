// Real servers for tests: Redis, NATS and RabbitMQ, each on a free port of this machine, with its data in a directory that
// goes with it, as whichever account runs the tests. None outlives the process that started it, whatever way that ends.

import { spawn } from "node:child_process";
import { accessSync, constants, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { freePort } from "./ports.ts";

export type ServiceName = "redis" | "nats" | "rabbitmq";
export const serviceNames: readonly ServiceName[] = ["redis", "nats", "rabbitmq"];

export type Service = AsyncDisposable & {
  name: ServiceName;
  /** Such as redis://127.0.0.1:40123. It stays the same over `kill` and `start`. */
  url: string;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again where it was killed, and waits until it takes connections. */
  start(): Promise<void>;
  /** It stops doing anything, and does not know: connections stay open. `resume` lets it go on. */
  pause(): void;
  resume(): void;
  /** Ends it for good, and its data. */
  stop(): Promise<void>;
};

/** Why tests with this service are skipped, for `test(…, { skip })`; false where it is installed. */
export function missingService(name: ServiceName): string | false {
  const { apt, programs } = services[name];
  const missing = programs.find((each) => findProgram(each) === undefined);
  return missing !== undefined && `${missing} is not installed (Debian: apt-get install ${apt})`;
}

/**
 * Starts the service and waits until it takes connections: a moment, and some seconds for RabbitMQ. `config` is a configuration
 * file of Redis or RabbitMQ; where it listens and what it keeps stays as it is.
 */
export async function startService(name: ServiceName, config = ""): Promise<Service> {
  const directory = mkdtempSync(join(tmpdir(), `parley-${name}-`));
  const port = await freePort();
  const commands = await services[name].prepare({ directory, port, config });
  let running: Running[] = [];
  const start = async () => {
    for (const command of commands) running.push(await supervise(command));
  };
  const kill = async () => {
    const ending = running;
    running = [];
    await Promise.all(ending.map((each) => each.end()));
    // What was killed is gone a moment later than the shell that watched over it.
    if (ending.length > 0) await refused(port);
  };
  const stop = async () => {
    await kill();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await start();
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  const pause = () => {
    for (const { group } of running) {
      process.kill(-group, "SIGSTOP");
      // The shell goes on watching over them.
      process.kill(group, "SIGCONT");
    }
  };
  const resume = () => {
    for (const { group } of running) process.kill(-group, "SIGCONT");
  };
  const url = `${services[name].protocol}://127.0.0.1:${port}`;
  return { name, url, start, kill, pause, resume, stop, [Symbol.asyncDispose]: stop };
}

/** Why tests with clocks that are wrong are skipped; false where libfaketime is installed. */
export function missingFaketime(): string | false {
  return faketime() === undefined && "libfaketime is not installed (Debian: apt-get install libfaketime)";
}

function faketime(): string | undefined {
  return globSync("/usr/lib/*/faketime/libfaketimeMT.so.1")[0];
}

/** The settings of a process whose clock is wrong by so much. Its timers run as they should. */
export function clockOff(by_minutes: number): Record<string, string> {
  const sign = by_minutes < 0 ? "-" : "+";
  const env = { FAKETIME: `${sign}${Math.abs(by_minutes)}m`, FAKETIME_DONT_FAKE_MONOTONIC: "1" };
  return { LD_PRELOAD: faketime() ?? "", ...env };
}

/** Takes away what a process with a wrong clock leaves in shared memory where it is killed. For whichever process has ended. */
export function forgetClock(pid: number): void {
  for (const name of ["faketime_shm_", "sem.faketime_sem_"]) rmSync(`/dev/shm/${name}${pid}`, { force: true });
}

export type Command = {
  program: string;
  args: string[];
  env?: Record<string, string>;
  /** What it writes when it takes connections. */
  ready: RegExp;
  /** Lines of its output that are kept. */
  alarm?: RegExp;
};

type Kind = {
  protocol: string;
  /** The package of Debian. */
  apt: string;
  programs: string[];
  /** What to run, in this order. */
  prepare(place: { directory: string; port: number; config: string }): Promise<Command[]>;
};

const services: Record<ServiceName, Kind> = {
  redis: {
    protocol: "redis",
    apt: "redis-server",
    programs: ["redis-server"],
    prepare: async ({ directory, port, config }) => {
      const file = join(directory, "redis.conf");
      const fixed = [
        "--port",
        `${port}`,
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        directory,
      ];
      writeFileSync(file, config);
      return [{ program: "redis-server", args: [file, ...fixed], ready: /Ready to accept connections/ }];
    },
  },
  nats: {
    protocol: "nats",
    apt: "nats-server",
    programs: ["nats-server"],
    prepare: async ({ port }) => [
      { program: "nats-server", args: ["--addr", "127.0.0.1", "--port", `${port}`], ready: /Server is ready/ },
    ],
  },
  rabbitmq: {
    protocol: "amqp",
    apt: "rabbitmq-server",
    programs: ["rabbitmq-server", "epmd"],
    prepare: prepareRabbitMq,
  },
};

/** RabbitMQ with Erlang's register of nodes (epmd) as a process beside it, which otherwise would start one that stays. */
async function prepareRabbitMq({ directory, port, config: own }: Parameters<Kind["prepare"]>[0]): Promise<Command[]> {
  const [epmdPort, nodePort] = [await freePort(), await freePort()];
  const config = join(directory, "rabbitmq.conf");
  const plugins = join(directory, "enabled_plugins");
  writeFileSync(
    config,
    `listeners.tcp.1 = 127.0.0.1:${port}\ndisk_free_limit.absolute = 50MB\nlog.console = true\nlog.file = false\n${own}`,
  );
  writeFileSync(plugins, "[].");
  const epmd = { ERL_EPMD_PORT: `${epmdPort}`, ERL_EPMD_ADDRESS: "127.0.0.1" };
  const env = {
    ...epmd,
    HOME: directory,
    RABBITMQ_CONF_ENV_FILE: join(directory, "none"),
    RABBITMQ_CONFIG_FILE: config,
    RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
    RABBITMQ_NODENAME: `parley-${port}@localhost`,
    RABBITMQ_DIST_PORT: `${nodePort}`,
    RABBITMQ_MNESIA_BASE: join(directory, "mnesia"),
    RABBITMQ_LOG_BASE: join(directory, "log"),
    RABBITMQ_PID_FILE: join(directory, "pid"),
    // One thread that sleeps while there is nothing to do: tests share the machine.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none",
  };
  return [
    {
      program: "epmd",
      args: ["-d", "-port", `${epmdPort}`, "-address", "127.0.0.1"],
      env: epmd,
      ready: /epmd running/,
    },
    { program: "rabbitmq-server", args: [], env, ready: /Server startup complete|completed with \d+ plugins/ },
  ];
}

/** RabbitMQ's own script, not Debian's around it, which changes to another account. */
const PLACES = ["/usr/lib/rabbitmq/bin", "/usr/sbin", "/opt/homebrew/sbin", "/usr/local/sbin"];

function findProgram(name: string): string | undefined {
  const paths = [...PLACES, ...(process.env["PATH"] ?? "").split(delimiter)].map((place) => join(place, name));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export type Running = {
  group: number;
  end(): Promise<void>;
  /** What it has said so far that its command calls an alarm: lines of its output. */
  alarms: readonly string[];
};

/**
 * A shell, first of a process group, that kills the group when its own standard input ends: that happens whatever way this
 * process ends. When the server ends by itself, the group ends too.
 */
const SUPERVISOR = `("$@"; kill -KILL 0) & read -r nothing; kill -KILL 0`;
const START_DEADLINE_MS = 120_000;

export function supervise({ program, args, env = {}, ready, alarm }: Command): Promise<Running> {
  const { PATH = "" } = process.env;
  const child = spawn("/bin/sh", ["-c", SUPERVISOR, "sh", findProgram(program) ?? program, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH, ...env },
    detached: true,
  });
  const group = child.pid as number;
  const exited = new Promise<void>((resolve) => void child.once("exit", () => resolve()));
  /** It must not keep this process alive, but while it starts or ends this process waits for it. */
  const handles = [child, child.stdin, child.stdout, child.stderr] as unknown as { ref(): void; unref(): void }[];
  const end = () => {
    for (const each of handles) each.ref();
    // Also one that is paused, and its shell with it. None of the group may be left.
    if (child.exitCode === null && child.signalCode === null) process.kill(-group, "SIGKILL");
    child.stdin.end();
    return exited;
  };
  let output = "";
  const alarms: string[] = [];
  return new Promise((resolve, reject) => {
    const finish = (action: () => void) => {
      clearTimeout(timer);
      action();
    };
    const fail = (why: string) => {
      void end();
      reject(new Error(`${program} ${why}:\n${output}`));
    };
    const timer = setTimeout(() => fail("was not ready in time"), START_DEADLINE_MS);
    const look = (text: string) => {
      if (alarm) alarms.push(...text.split("\n").filter((line) => alarm.test(line)));
      if (ready.test(output)) return;
      output += text;
      if (!ready.test(output)) return;
      for (const each of handles) each.unref();
      finish(() => resolve({ group, end, alarms }));
    };
    child.stdout.setEncoding("utf8").on("data", look);
    child.stderr.setEncoding("utf8").on("data", look);
    void exited.then(() => finish(() => fail("ended")));
  });
}

/** Resolves when nobody takes connections on the port. */
async function refused(port: number): Promise<void> {
  for (let isOpen = true; isOpen;)
    isOpen = await new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1");
      const settle = (code: string | undefined) => {
        socket.destroy();
        resolve(code !== "ECONNREFUSED");
      };
      socket.once("connect", () => settle(undefined));
      socket.once("error", (error: NodeJS.ErrnoException) => settle(error.code));
    });
}
