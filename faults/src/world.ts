// What a run of schedules works on: a cluster of real processes, PostgreSQL with its standby, a broker where the bus has one, and
// a misbehaving way to each of them.

import { join } from "node:path";
import { setInterval, clearInterval } from "node:timers";
import { type Cluster, startCluster } from "../../testkit/src/cluster.ts";
import { type Person, registerPerson } from "../../testkit/src/http.ts";
import { type Random, seeded } from "../../testkit/src/log/random.ts";
import { temporaryDirectory } from "../../testkit/src/process.ts";
import { startService } from "../../testkit/src/services.ts";
import { openTcpProxy, type TcpProxy } from "../../testkit/src/tcp-proxy.ts";
import type { Addresses } from "./clients.ts";
import { openPair, type Pair } from "./database.ts";

export const buses = ["postgresql", "redis", "nats", "rabbitmq"] as const;
export type BusName = (typeof buses)[number];

export type World = AsyncDisposable & {
  pair: Pair;
  cluster: Cluster;
  /** The way to each gateway. */
  doors: readonly TcpProxy[];
  people: readonly Person[];
  /** What a client asks that came in through this door; it goes to another one when its own does not answer. */
  addresses(door: number): Addresses;
  /** The part of the hints that get lost from now on: 0, 0.5 or 1. */
  loseHints(part: number): void;
  /** How things stand, for whoever finds out why a schedule got stuck. */
  describe(): Promise<string>;
};

const PROCESSES = { gateway: 2, messages: 2, "auth,keys,presence,media,web,worker": 1 };
const PEOPLE = 4;
/** With half of the hints lost a broker is there, or away, for so long at a time. */
const BROKER_TURN_MS = 200;

/** Starts everything; it takes some seconds. */
export async function openWorld(bus: BusName): Promise<World> {
  await using started = new AsyncDisposableStack();
  const directory = temporaryDirectory();
  started.defer(() => directory[Symbol.dispose]());
  // Which single notification gets lost depends on the moment anyway: no seed could repeat it.
  const pair = started.use(await openPair(join(directory.path, "postgres"), Math.random));
  const broker = bus === "postgresql" ? undefined : await openBroker(bus, started);
  const env = broker ? { [`${broker.name.toUpperCase()}_URL`]: broker.url } : {};
  const cluster = started.use(await startCluster({ processes: PROCESSES, bus, env, databaseUrl: pair.url }));
  const doors = await Promise.all(
    cluster.gateways.map(({ url }) => openTcpProxy(() => ({ port: Number(new URL(url).port) }))),
  );
  for (const door of doors) started.use(door);
  const people: Person[] = [];
  for (let i = 0; i < PEOPLE; i++) people.push(await registerPerson(cluster.gateways[0]?.url as string, `p${i}`));
  const ending = started.move();
  return {
    pair,
    cluster,
    doors,
    people,
    addresses: (door) => addressesFrom(doors, door),
    loseHints: broker ? broker.lose : pair.loseNotifications,
    describe: () => describe(pair, cluster),
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
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
  return { name, url, lose };
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
