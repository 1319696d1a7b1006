/** The bus of a single process. Messages are delivered in a later turn of the loop, as they would be from another process. */
import type { Logger } from "../logger.ts";
import type { Bus } from "./bus.ts";
import { createSubscribers } from "./subscribers.ts";

export function openMemoryBus({ logger }: { logger: Pick<Logger, "error"> }): Bus {
  const subscribers = createSubscribers(logger);
  return {
    publish: (topic, message) => void setImmediate(() => subscribers.tell(topic, message, true)),
    subscribe: subscribers.add,
    packet_bytes: 0,
    async close() {
      subscribers.clear();
    },
  };
}
