// What a run of schedules works on: a cluster of real processes, PostgreSQL with its standby, a broker where the bus has one, and
// a misbehaving way to each of them.

import { join } from "node:path";
import { setInterval, clearInterval } from "node:timers";
import { type Cluster, type Member, startCluster } from "../../testkit/src/cluster.ts";
import { type Person, registerPerson } from "../../testkit/src/http.ts";
import { type Random, seeded } from "../../testkit/src/log/random.ts";
import { temporaryDirectory } from "../../testkit/src/process.ts";
import { clockOff, missingFaketime, missingService, startService } from "../../testkit/src/services.ts";
import { openTcpProxy, type TcpProxy } from "../../testkit/src/tcp-proxy.ts";
import type { Addresses } from "./clients.ts";
import { openPair, type Pair } from "./database.ts";
import { startAgain } from "./start-again.ts";

export const buses = ["postgresql", "redis", "nats", "rabbitmq"] as const;
export type BusName = (typeof buses)[number];
export const queues = ["none", "postgresql", "rabbitmq"] as const;
export type QueueName = (typeof queues)[number];

export type WorldOptions = {
  bus: BusName;
  queue: QueueName;
  /** The clocks of the processes are wrong, each by something else up to an hour. */
  clocksOff: boolean;
  /** Nothing happens that takes long to mend. */
  short?: boolean;
};

export type World = AsyncDisposable & {
  pair: Pair;
  cluster: Cluster;
  options: WorldOptions;
  /** The way to the queue's broker, where the queue has one that the bus has not. */
  queueWay: TcpProxy | undefined;
  /** The way to each gateway. */
  doors: readonly TcpProxy[];
  people: readonly Person[];
  /** What a client asks that came in through this door; it goes to another one when its own does not answer. */
  addresses(door: number): Addresses;
  /** The part of the hints that get lost from now on: 0, 0.5 or 1. */
  loseHints(part: number): void;
  /** The processes that have ended by themselves since this was asked last, and what each said at its end. */
  takeCrashes(): string[];
  /** How things stand, for whoever finds out why a schedule got stuck. */
  describe(): Promise<string>;
};

const PROCESSES = { gateway: 2, messages: 2, "auth,keys,presence,media,web,worker": 1 };
const PEOPLE = 4;
/** With half of the hints lost a broker is there, or away, for so long at a time. */
const BROKER_TURN_MS = 200;

/** By how many minutes the clock of each process is wrong. */
const CLOCKS_OFF_MINUTES = [60, -60, 37, -5, -59];
/** How often it is looked for processes that have ended by themselves. */
const WATCH_MS = 50;

/** A world that a seed has chosen, of those that are possible on this machine. */
export function optionsOf(seed: number, bus: BusName): WorldOptions {
  const random = seeded(seed);
  const possible = queues.filter((queue) => queue !== "rabbitmq" || !missingService("rabbitmq"));
  return { bus, queue: random.pick(possible), clocksOff: !missingFaketime() && random.chance(0.5) };
}

/** Starts everything; it takes some seconds. */
export async function openWorld(options: WorldOptions): Promise<World> {
  const { bus, queue, clocksOff } = options;
  await using started = new AsyncDisposableStack();
  const directory = temporaryDirectory();
  started.defer(() => directory[Symbol.dispose]());
  // Which single notification gets lost depends on the moment anyway: no seed could repeat it.
  const pair = started.use(await openPair(join(directory.path, "postgres"), Math.random));
  const broker = bus === "postgresql" ? undefined : await openBroker(bus, started);
  const queueBroker = queue === "rabbitmq" && bus !== "rabbitmq" ? await openBroker("rabbitmq", started) : undefined;
  const env = { PARLEY_QUEUE: queue, ...settingOf(broker), ...settingOf(queueBroker) };
  const envOf = (number: number) =>
    clocksOff ? clockOff(CLOCKS_OFF_MINUTES[number % CLOCKS_OFF_MINUTES.length] as number) : {};
  const cluster = started.use(await startCluster({ processes: PROCESSES, bus, env, envOf, databaseUrl: pair.url }));
  const doors = await Promise.all(
    cluster.gateways.map(({ url }) => openTcpProxy(() => ({ port: Number(new URL(url).port) }))),
  );
  for (const door of doors) started.use(door);
  const people: Person[] = [];
  for (let i = 0; i < PEOPLE; i++) people.push(await registerPerson(cluster.gateways[0]?.url as string, `p${i}`));
  const loseHints = broker ? broker.lose : pair.loseNotifications;
  const crashes: string[] = [];
  started.defer(watchOver(cluster, { loseHints, crashed: (how) => void crashes.push(how) }));
  const ending = started.move();
  return {
    options,
    pair,
    cluster,
    queueWay: queueBroker?.proxy,
    doors,
    people,
    addresses: (door) => addressesFrom(doors, door),
    loseHints,
    takeCrashes: () => crashes.splice(0),
    describe: () => describe(pair, cluster),
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
}

/** What a process says that ends because it has to: see `onForked` in the server's main.ts. */
const HAS_TO_END = "must be started again";
/** So much of what a process wrote at its end tells why. */
const LAST_CHARACTERS = 2_000;

type Watching = Pick<World, "loseHints"> & { crashed(how: string): void };

/**
 * Starts processes again that have ended by themselves, as whatever runs them in a cluster does, and tells of those that had no
 * reason to. Gives the end of it, after which nothing is started any more.
 */
function watchOver(cluster: Cluster, { loseHints, crashed }: Watching): () => Promise<void> {
  const starting = new Map<Member, Promise<void>>();
  const over = new AbortController();
  const look = () => {
    for (const member of cluster.members) {
      if (!member.hasDied || starting.has(member)) continue;
      const said = member.stderr().slice(-LAST_CHARACTERS);
      if (!said.includes(HAS_TO_END)) crashed(`${member.name} ended by itself: ${said}`);
      // Where it can not start, somebody is not served again, and the schedule tells.
      const started = startAgain({ loseHints }, member, over.signal)
        .catch(() => {})
        .finally(() => starting.delete(member));
      starting.set(member, started);
    }
  };
  const watching = setInterval(look, WATCH_MS);
  return async () => {
    clearInterval(watching);
    over.abort();
    await Promise.all(starting.values());
  };
}

function settingOf(broker: { name: string; url: string } | undefined): Record<string, string> {
  return broker ? { [`${broker.name.toUpperCase()}_URL`]: broker.url } : {};
}

function addressesFrom(doors: readonly TcpProxy[], door: number): Addresses {
  let at = door % doors.length;
  const url = () => `http://127.0.0.1:${doors[at]?.port}`;
  return {
    next: url,
    failed(failed) {
      if (failed === url()) at = (at + 1) % doors.length;
    },
  };
}

/** A broker behind a proxy. Half of the hints are lost by cutting it off for half of the time. */
async function openBroker(name: Exclude<BusName, "postgresql">, started: AsyncDisposableStack) {
  const service = started.use(await startService(name));
  const inner = new URL(service.url);
  const proxy = started.use(await openTcpProxy(() => ({ port: Number(inner.port) })));
  const random: Random = seeded(1);
  let turns: NodeJS.Timeout | undefined;
  started.defer(() => clearInterval(turns));
  const url = service.url.replace(`:${inner.port}`, `:${proxy.port}`);
  const lose = (part: number) => {
    clearInterval(turns);
    proxy.behave(part === 1 ? "refuse" : "pass");
    if (part !== 0 && part !== 1)
      turns = setInterval(() => proxy.behave(random.chance(part) ? "refuse" : "pass"), BROKER_TURN_MS);
  };
  return { name, url, proxy, lose };
}

async function describe(pair: Pair, cluster: Cluster): Promise<string> {
  const asked = ["pg_stat_replication", "pg_stat_activity where state <> 'idle' or wait_event_type = 'Lock'"].map(
    async (of) => {
      const rows = await pair
        .primary()
        .query(`select * from ${of}`)
        .catch((thrown: unknown) => [String(thrown)]);
      return `${of}:\n${rows.map((row) => `  ${JSON.stringify(row)}`).join("\n")}`;
    },
  );
  const servers = [pair.primary(), pair.standby()].map(
    ({ directory, isRunning }) => `${directory} ${isRunning() ? "runs" : "does not run"}`,
  );
  const members = cluster.members.map(({ name, isRunning, stderr }) => {
    return `${name} ${isRunning ? "runs" : "does not run"}: ${stderr().slice(-1_000)}`;
  });
  return [...servers, ...(await Promise.all(asked)), ...members].join("\n");
}
