/** The adapters, each with a server of its own that is really there. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { missingService, type Service, serviceNames, startService } from "../../../testkit/src/services.ts";
import { soonFound } from "../../../testkit/src/wait.ts";
import { startEmbeddedPostgres } from "../db/embedded.ts";
import { migrate } from "../db/migrate.ts";
import { createLogger } from "../logger.ts";
import { createMetrics } from "../metrics.ts";
import { realSeams } from "../seams.ts";
import { type Broker, conform } from "./conformance.ts";
import { fixedKey } from "./key-ring.ts";
import { openMemoryBus } from "./memory.ts";
import { type BusOptions, openBus } from "./open.ts";

const logger = createLogger("silent");
const installation = { channel: "parley-test", epoch: 1 };
const keys = fixedKey(Buffer.alloc(32, 7));
const none = { redisUrl: undefined, natsUrl: undefined, rabbitmqUrl: undefined };

function optionsFor(config: Partial<BusOptions["config"]>, metrics = createMetrics()): BusOptions {
  const all = { bus: "memory" as const, ...none, ...config };
  return { config: all, databaseUrl: "", installation, keys, seams: realSeams, logger, metrics };
}

const configOf = {
  redis: (url: string) => ({ bus: "redis" as const, redisUrl: url }),
  nats: (url: string) => ({ bus: "nats" as const, natsUrl: url }),
  rabbitmq: (url: string) => ({ bus: "rabbitmq" as const, rabbitmqUrl: url }),
};

/** One service for all the tests of this file, started by the first that needs it. */
function shared<T extends AsyncDisposable>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined;
  after(async () => (await started)?.[Symbol.asyncDispose]());
  return () => (started ??= start());
}

for (const name of serviceNames) {
  const skip = missingService(name);
  if (skip) console.error(`The bus over ${name} is not tested: ${skip}.`);
  const service = shared(() => startService(name));
  conform({ name, skip, broker: async () => brokerOf(await service()) });

  test(
    `${name}: what somebody without the key of this Parley publishes on the broker is not taken`,
    { skip },
    async () => {
      const { url } = await service();
      const metrics = createMetrics();
      const [ours, theirs] = [
        await openBus(optionsFor(configOf[name](url), metrics)),
        await openBus({
          ...optionsFor(configOf[name](url)),
          keys: fixedKey(Buffer.alloc(32, 8)),
        }),
      ];
      const heard: string[] = [];
      ours.subscribe("head", (message) => heard.push(message));
      theirs.publish("head", "made up");
      // Its packets arrive in their order: when the second is counted, the first was.
      const foreign = async () => (await metrics.busForeign.get()).values[0]?.value ?? 0;
      await soonFound("two packets of somebody else are counted", async () => (await foreign()) >= 2);
      assert.deepEqual(heard, []);
      await Promise.all([ours.close(), theirs.close()]);
    },
  );
}

const moment = () => wait(20);

function brokerOf(service: Service): Broker {
  const config = configOf[service.name](service.url);
  return {
    open: (metrics) => openBus(optionsFor(config, metrics)),
    crash: service.kill,
    restart: service.start,
    moment,
  };
}

const postgres = shared(async () => {
  const dataDir = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "parley-bus-"));
  chmodSync(dataDir, 0o755);
  const start = () => startEmbeddedPostgres({ dataDir: join(dataDir, "postgres"), onProgress: () => {} });
  let running = await start();
  const { url } = running;
  await migrate(url);
  return {
    url,
    stop: () => running.stop(),
    restart: async () => void (running = await start()),
    async [Symbol.asyncDispose]() {
      await running.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
});

conform({
  name: "postgresql",
  skip: false,
  async broker() {
    const { url, stop, restart } = await postgres();
    const open: Broker["open"] = (metrics) =>
      openBus({ ...optionsFor({ bus: "postgresql" }, metrics), databaseUrl: url });
    return { open, crash: stop, restart, moment };
  },
});

test("memory: a message reaches every subscriber of its topic in a later turn, and one that throws keeps the others from nothing", async () => {
  const bus = openMemoryBus({ logger });
  const heard: [string, boolean][] = [];
  bus.subscribe("head", () => {
    throw new Error("broken");
  });
  const stop = bus.subscribe("head", (message, own) => heard.push([message, own]));
  bus.publish("head", "1");
  bus.publish("typing", "2");
  assert.deepEqual(heard, []);
  await new Promise((resolve) => void setImmediate(resolve));
  assert.deepEqual(heard, [["1", true]]);
  stop();
  bus.publish("head", "3");
  await new Promise((resolve) => void setImmediate(resolve));
  assert.equal(heard.length, 1);
});

test("a bus that can not be reached stops the start with its setting, and without its password", async () => {
  const password = "hunter2";
  const addresses = {
    redis: `redis://:${password}@127.0.0.1:1`,
    nats: `nats://me:${password}@127.0.0.1:1`,
    rabbitmq: `amqp://me:${password}@127.0.0.1:1`,
  };
  for (const name of serviceNames)
    await assert.rejects(openBus(optionsFor(configOf[name](addresses[name]))), (error: Error) => {
      assert.match(
        error.message,
        new RegExp(`^The bus can not be reached: .*${name.toUpperCase()}_URL.*PARLEY_BUS.*\\.$`, "s"),
      );
      assert.equal(error.message.includes(password), false, error.message);
      return true;
    });
});
