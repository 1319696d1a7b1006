/** Who in this process listens to which topic. */
import { asError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Receive } from "./bus.ts";

/** A subscriber that fails is logged, and does not keep the others from the message. */
export function createSubscribers(logger: Pick<Logger, "error">) {
  const byTopic = new Map<string, Set<{ receive: Receive }>>();
  return {
    add(topic: string, receive: Receive): () => void {
      const all = byTopic.get(topic) ?? new Set();
      byTopic.set(topic, all);
      const each = { receive };
      all.add(each);
      return () => void all.delete(each);
    },
    tell(topic: string, message: string, own: boolean): void {
      for (const { receive } of byTopic.get(topic) ?? []) {
        try {
          receive(message, own);
        } catch (thrown) {
          logger.error({ err: asError(thrown), topic }, "a subscriber of the bus failed");
        }
      }
    },
    clear: () => byTopic.clear(),
  };
}
