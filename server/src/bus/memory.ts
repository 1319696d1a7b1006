/** The bus of a single process. Messages are delivered in a later turn of the loop, as they would be from another process. */
import { EventEmitter } from "node:events";
import type { Bus } from "./bus.ts";

export function openMemoryBus(): Bus {
  const emitter = new EventEmitter().setMaxListeners(0);
  return {
    publish: (topic, message) => void setImmediate(() => emitter.emit(topic, message)),
    subscribe(topic, receive) {
      emitter.on(topic, receive);
      return () => void emitter.off(topic, receive);
    },
    async close() {
      emitter.removeAllListeners();
    },
  };
}
