/** Opens the queue that the settings name: the one place that knows which adapters there are. */
import { Counter, Gauge, type Registry } from "prom-client";
import type { Bus } from "../bus/bus.ts";
import type { Config } from "../config.ts";
import type { Db } from "../db/database.ts";
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Logger } from "../logger.ts";
import type { Seams } from "../seams.ts";
import { formats, type Queue, type QueueEvents, type QueueTuning } from "./queue.ts";

export interface QueueOptions {
  config: Pick<Config, "queue" | "rabbitmqUrl">;
  db: Db;
  bus: Bus;
  seams: Seams;
  logger: Logger;
  registry: Registry;
}

export const defaultTuning: QueueTuning = {
  prefetch_messages: limits.queuePrefetch_messages,
  retries_ms: limits.queueRetries_ms,
  visibility_ms: limits.queueVisibility_ms,
  drain_ms: limits.queueDrain_ms,
  formats,
};

/** The queue; undefined where none is set. An adapter's code is loaded only where it is used. */
export async function openQueue(options: QueueOptions): Promise<Queue | undefined> {
  if (options.config.queue === "none") return undefined;
  const queue = await openAdapter(options);
  countDepths(queue, options);
  return queue;
}

async function openAdapter(options: QueueOptions): Promise<Queue> {
  const { config, db, bus, seams } = options;
  const events = tell(options);
  const tuning = defaultTuning;
  if (options.config.queue === "rabbitmq") {
    const { openRabbitmqQueue } = await import("./rabbitmq.ts");
    return openRabbitmqQueue({ url: config.rabbitmqUrl ?? "", seams, tuning, events });
  }
  const { openPostgresqlQueue } = await import("./postgresql.ts");
  const hints = {
    announce: (name: string) => bus.publish("queue", name),
    listen: (receive: (name: string) => void) => bus.subscribe("queue", receive),
  };
  return openPostgresqlQueue({ db, seams, tuning, events, hints });
}

/** Counts what consumers do, and writes what goes wrong to the log: never a message's body, which is somebody's. */
function tell({ logger, registry }: QueueOptions): QueueEvents {
  const outcomes = new Counter({
    name: "parley_queue_deliveries_total",
    help: "Deliveries of a queue by how they ended",
    labelNames: ["queue", "outcome"],
    registers: [registry],
  });
  return {
    onOutcome: (queue, outcome) => outcomes.inc({ queue, outcome }),
    onFailure({ name, attempt, isDead, thrown }) {
      const what = isDead ? "a message of the queue is dead" : "a message of the queue failed and comes again";
      logger.error({ err: asError(thrown), queue: name, attempt }, what);
    },
    onTrouble: (thrown) => logger.warn({ reason: asError(thrown).message }, "the queue is not at hand"),
  };
}

function countDepths(queue: Queue, { registry, logger }: QueueOptions): void {
  const depth = new Gauge({
    name: "parley_queue_depth",
    help: "Messages in a queue that nobody has taken, and dead ones",
    labelNames: ["queue", "state"],
    registers: [registry],
    async collect() {
      try {
        for (const { name, waiting, dead } of await queue.depths()) {
          depth.set({ queue: name, state: "waiting" }, waiting);
          depth.set({ queue: name, state: "dead" }, dead);
        }
      } catch (thrown) {
        depth.reset();
        logger.warn({ reason: asError(thrown).message }, "the depth of the queues could not be read");
      }
    },
  });
}
