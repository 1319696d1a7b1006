/** The one place that chooses the bus. An adapter is loaded only where it is wanted. */
import type { Config } from "../config.ts";
import type { Installation } from "./installation.ts";
import type { KeyRing } from "./key-ring.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics.ts";
import type { Seams } from "../seams.ts";
import type { Bus } from "./bus.ts";
import { openRemoteBus } from "./remote.ts";
import { sealed } from "./seal.ts";
import type { Transport } from "./transport.ts";

export interface BusOptions {
  config: Pick<Config, "bus" | "redisUrl" | "natsUrl" | "rabbitmqUrl">;
  databaseUrl: string;
  installation: Installation;
  keys: KeyRing;
  seams: Seams;
  logger: Logger;
  metrics: Metrics;
  /** Whether other processes run with this bus at this address. */
  isProven?(): Promise<boolean>;
}

/** Opens the bus that is set. Throws StartError where it can not be reached. */
export async function openBus(options: BusOptions): Promise<Bus> {
  const { config, databaseUrl, installation, keys, ...world } = options;
  if (config.bus === "memory") {
    const { openMemoryBus } = await import("./memory.ts");
    world.metrics.busConnected.set(1);
    return openMemoryBus(world);
  }
  if (config.bus === "postgresql") {
    const { postgresqlTransport } = await import("./postgresql.ts");
    return openRemoteBus({ ...world, transport: postgresqlTransport({ url: databaseUrl }) });
  }
  const transport = await brokerTransport(config, config.bus, installation.channel);
  return openRemoteBus({
    ...world,
    transport: sealed(transport, {
      keys,
      seams: world.seams,
      onForeign: () => world.metrics.busForeign.inc(),
    }),
  });
}

/** config.ts has seen to it that the address is there. */
async function brokerTransport(
  config: BusOptions["config"],
  name: "redis" | "nats" | "rabbitmq",
  channel: string,
): Promise<Transport<Buffer>> {
  switch (name) {
    case "redis":
      return (await import("./redis.ts")).redisTransport({ url: config.redisUrl as string, channel });
    case "nats":
      return (await import("./nats.ts")).natsTransport({ url: config.natsUrl as string, channel });
    case "rabbitmq":
      return (await import("./rabbitmq.ts")).rabbitmqTransport({ url: config.rabbitmqUrl as string, channel });
  }
}
