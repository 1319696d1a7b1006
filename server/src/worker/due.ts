/**
 * Work that becomes due at a time that the database knows, such as sending delayed events. Workers sleep until the next of it is due, so
 * that nothing is asked while there is nothing to do. Whatever makes something due earlier says so on the bus. That may lose words, so
 * that each worker looks for itself too, now and then: a lost word costs that much time, and nothing else.
 */
import { readMessage } from "../bus/bus.ts";
import type { Context } from "../context.ts";
import type { Wake } from "../rounds.ts";

/** What becomes due. */
export type Due = "delayed" | "push";

interface Word {
  due: Due;
  within_ms: number;
}

/** Tells the workers, those of this process among them, that something is due within so many milliseconds. */
export function tellDue({ bus }: Pick<Context, "bus">, due: Due, within_ms: number): void {
  const word: Word = { due, within_ms };
  bus.publish("due", JSON.stringify(word));
}

/** Calls `wake` for each word of this kind, until the function that it gives is called. What can not be read is as a word that was lost. */
export function onDue({ bus }: Pick<Context, "bus">, due: Due, wake: Wake): () => void {
  return bus.subscribe("due", (message) => {
    const told = readMessage<Word>(message);
    if (told?.due === due && typeof told.within_ms === "number" && told.within_ms >= 0) wake(told.within_ms);
  });
}
