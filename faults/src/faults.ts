// What goes wrong. Each fault happens, lasts, and is mended; `note` tells when the trouble that it makes has ended, from where on
// the time of recovery counts: at once for what is over in a moment, at the end of what lasts.

import { setTimeout as wait } from "node:timers/promises";
import type { Random } from "../../testkit/src/log/random.ts";
import type { Postgres } from "../../testkit/src/postgres.ts";
import type { Manner, TcpProxy } from "../../testkit/src/tcp-proxy.ts";
import { startAgain } from "./start-again.ts";
import type { World } from "./world.ts";

export type Fault = {
  name: string;
  /** Two faults of one group do not happen at once. */
  group: "process" | "database" | "network";
  /** Why it can not happen here; undefined where it can. */
  missing?(world: World): string | undefined;
  run(world: World, random: Random, note: () => void): Promise<void>;
};

const kill: Fault = {
  name: "a process is killed",
  group: "process",
  async run(world, random, note) {
    const member = random.pick(world.cluster.members);
    await member.kill();
    note();
    await wait(random.below(1_000));
    await startAgain(world, member);
  },
};

const killTwo: Fault = {
  name: "two processes are killed",
  group: "process",
  async run(world, random, note) {
    const { cluster } = world;
    // One of each kind is left, as it is where more replicas than one are wanted.
    const members = [random.pick(cluster.gateways), random.pick(cluster.of("messages"))];
    await Promise.all(members.map((member) => member.kill()));
    note();
    await Promise.all(members.map((member) => startAgain(world, member)));
  },
};

const restart: Fault = {
  name: "a process is replaced",
  group: "process",
  async run(world, random, note) {
    const member = random.pick(world.cluster.members);
    await member.stop();
    note();
    await startAgain(world, member);
  },
};

const pause: Fault = {
  name: "a process stands still",
  group: "process",
  async run({ cluster }, random, note) {
    const member = random.pick(cluster.members);
    member.pause();
    await wait(300 + random.below(3_000));
    member.resume();
    note();
  },
};

const databaseCrash: Fault = {
  name: "PostgreSQL crashes",
  group: "database",
  async run({ pair }, _random, note) {
    await pair.crash();
    note();
  },
};

const failOver: Fault = {
  name: "PostgreSQL fails over",
  group: "database",
  async run({ pair }, _random, note) {
    const done = pair.failOver();
    note();
    await done;
  },
};

const failOverBehind: Fault = {
  name: "PostgreSQL fails over and loses what it has shown",
  group: "database",
  // Every process that has seen it starts again.
  missing: ({ options }) => (options.short ? "the schedules have little time" : undefined),
  async run({ pair }, random, note) {
    await pair.failOverBehind(300 + random.below(1_500));
    note();
  },
};

const databasePause: Fault = {
  name: "PostgreSQL stands still",
  group: "database",
  run: ({ pair }, random, note) => standStill(pair.primary(), random, note),
};

const standbyPause: Fault = {
  name: "the standby stands still",
  group: "database",
  run: ({ pair }, random, note) => standStill(pair.standby(), random, note),
};

async function standStill(server: Postgres, random: Random, note: () => void): Promise<void> {
  server.signal("SIGSTOP");
  await wait(300 + random.below(2_000));
  server.signal("SIGCONT");
  note();
}

/** A way that behaves so for a while, is then cut, and passes again. */
async function misbehave(proxies: readonly TcpProxy[], manner: Manner, lasts_ms: number): Promise<void> {
  for (const proxy of proxies) proxy.behave(manner);
  await wait(lasts_ms);
  for (const proxy of proxies) {
    proxy.behave("pass");
    if (manner === "swallow") proxy.cut();
  }
}

/** A way that is slow for a second or two. */
async function slowDown(proxies: readonly TcpProxy[], delay_ms: () => number, random: Random): Promise<void> {
  for (const proxy of proxies) proxy.delay(delay_ms());
  await wait(1_000 + random.below(1_000));
  for (const proxy of proxies) proxy.delay(0);
}

/** An operator, or a shutdown that is polite: each connection is told that it ends, wherever whoever has it stands. */
const databaseEnds: Fault = {
  name: "PostgreSQL ends connections",
  group: "database",
  async run({ pair }, random, note) {
    for (let round = 2 + random.below(10); round > 0; round--) {
      await pair.primary().query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where backend_type = 'client backend' and pid <> pg_backend_pid() and random() < 0.7`,
      );
      await wait(random.below(200));
    }
    note();
  },
};

const databaseCut: Fault = {
  name: "connections to PostgreSQL are cut",
  group: "database",
  async run({ pair }, random, note) {
    await misbehave(pair.proxies, "refuse", random.below(1_000));
    note();
  },
};

const answersLost: Fault = {
  name: "answers of PostgreSQL get lost",
  group: "database",
  async run({ pair }, random, note) {
    await misbehave(pair.proxies, "swallow", 50 + random.below(500));
    note();
  },
};

const databaseHang: Fault = {
  name: "the way to PostgreSQL hangs",
  group: "database",
  async run({ pair }, random, note) {
    await misbehave(pair.proxies, "hang", 300 + random.below(2_000));
    note();
  },
};

const databaseSlow: Fault = {
  name: "the way to PostgreSQL is slow",
  group: "database",
  async run({ pair }, random, note) {
    await slowDown(pair.proxies, () => 20 + random.below(80), random);
    note();
  },
};

const diskFull: Fault = {
  name: "the disk is full",
  group: "database",
  missing: ({ pair }) => (pair.fillDisk ? undefined : "only root can mount a small disk"),
  async run({ pair }, random, note) {
    const free = await pair.fillDisk?.();
    await wait(500 + random.below(2_000));
    await free?.();
    note();
  },
};

const clientsCut: Fault = {
  name: "connections of clients are cut",
  group: "network",
  async run({ doors }, random, note) {
    await misbehave([random.pick(doors)], "refuse", random.below(1_000));
    note();
  },
};

const clientAnswersLost: Fault = {
  name: "answers to clients get lost",
  group: "network",
  async run({ doors }, random, note) {
    await misbehave(doors, "swallow", 50 + random.below(500));
    note();
  },
};

const clientsSlow: Fault = {
  name: "clients are slow",
  group: "network",
  async run({ doors }, random, note) {
    await slowDown(doors, () => 50 + random.below(200), random);
    note();
  },
};

const queueCut: Fault = {
  name: "the queue's broker is cut off",
  group: "network",
  missing: ({ queueWay }) => (queueWay ? undefined : "the queue has no broker of its own here"),
  async run({ queueWay }, random, note) {
    if (queueWay) await misbehave([queueWay], random.pick(["refuse", "hang", "swallow"]), random.below(1_500));
    note();
  },
};

export const faults: readonly Fault[] = [
  kill,
  failOver,
  databaseCrash,
  pause,
  answersLost,
  diskFull,
  killTwo,
  databasePause,
  clientAnswersLost,
  databaseCut,
  restart,
  databaseHang,
  clientsCut,
  standbyPause,
  databaseSlow,
  clientsSlow,
  failOverBehind,
  queueCut,
  databaseEnds,
];
